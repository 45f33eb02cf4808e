"""How a process starts: logs, database, share, each checked and refused with a sentence; and how a daemon is built."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, NoReturn, TypeVar

import structlog
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from omkt_pipeline.db.check import check_settings
from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.revision import check_revision
from omkt_pipeline.domain.errors import Conflict, OmktError, Unavailable
from omkt_pipeline.domain.task import Pool, TaskKind
from omkt_pipeline.logs import configure_logging
from omkt_pipeline.media import sandbox
from omkt_pipeline.media.tools import Tools, find_tools
from omkt_pipeline.metrics import SANDBOX, expose_queue, serve_metrics
from omkt_pipeline.queue.exports import ExportsGate
from omkt_pipeline.queue.farm import Farm, known_farm
from omkt_pipeline.queue.rescue import Rescuer, promote
from omkt_pipeline.queue.workers import NEAR
from omkt_pipeline.settings import CommonSettings, DaemonSettings
from omkt_pipeline.storage.gate import ShareGate
from omkt_pipeline.storage.identity import host_identity
from omkt_pipeline.storage.share import Share
from omkt_pipeline.storage.trial import examine_share
from omkt_pipeline.worker import Chore, Handler, Worker, WorkerConfig

log = structlog.get_logger(__name__)
S = TypeVar("S", bound=BaseSettings)
T = TypeVar("T")

#: A database or a share that comes up together with us gets this long.
START_SECONDS = 60.0
_TRY_SECONDS = 1.0
#: What waiting does not cure.
_NEVER_FIT = ("database_settings", "ffmpeg_missing", "ffmpeg_unfit", "sandbox_missing")
#: A rescuer looks four times to a lease when alone. One that did not look for a whole lease waits another before it takes
#: anything, so it may become three times rarer, not more.
_RESCUE_RAREST = 3.0
_PROMOTE_RAREST = 6.0


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """What every process stands on."""

    database: Database
    farm: Farm
    share: Share


def read_settings(kind: type[S]) -> S:
    """Read the environment. Ends the process with a sentence for each setting that is missing or wrong."""
    try:
        return kind()
    except ValidationError as error:
        for fault in error.errors():
            name = "OMKT_" + "_".join(str(part) for part in fault["loc"]).upper() if fault["loc"] else "settings"
            print(f"{name}: {fault['msg']}", file=sys.stderr)  # noqa: T201 - logging is not set up yet
        sys.exit(2)


def enter(settings: CommonSettings, *, service: str, pool_size: int = 5) -> Grounds:
    """Set up logs, reach the database and the share, check both. Ends the process with the reason if it stays unfit."""
    configure_logging(service=service, host=settings.host_name, level=settings.log_level, style=settings.log_format)
    password = settings.database_password
    database = Database(
        settings.database_url,
        password=password.get_secret_value() if password else None,
        pool_size=pool_size,
        afar=isinstance(settings, DaemonSettings) and settings.share_exported,
    )
    return or_refuse(lambda: _grounds(database, settings))


def or_refuse(check: Callable[[], T]) -> T:
    """Return what `check` returns; try again while it is only too early; else end the process with its reason."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return check()
        except Unavailable as error:
            if time.monotonic() > deadline or error.code in _NEVER_FIT:
                refuse(error)
            log.info("not ready yet", event_code="waiting", reason=error.message)
            time.sleep(_TRY_SECONDS)
        except OmktError as error:
            refuse(error)


def media_tools(settings: DaemonSettings) -> Tools:
    """The media tools and what the kernel puts around them, checked. Ends the process with the reason if they stay unfit."""
    layers = or_refuse(lambda: sandbox.checked(required=settings.sandbox_required))
    SANDBOX.set(layers.level)
    log.info(str(layers), event_code="sandbox", layers=layers.level, landlock=layers.landlock, seccomp=layers.seccomp)
    return or_refuse(lambda: find_tools(settings.ffmpeg, settings.ffprobe))


def refuse(error: OmktError) -> NoReturn:
    """End the process, saying why."""
    log.critical(error.message, event_code="refused", code=error.code)
    sys.exit(1)


def run_daemon(
    grounds: Grounds,
    settings: DaemonSettings,
    *,
    pool: Pool,
    handlers: Mapping[TaskKind, Handler],
    slots: int,
    threads: int = 1,
    chores: Sequence[Chore] = (),
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Run one daemon until it is told to stop."""
    if settings.metrics_bind:
        serve_metrics(settings.metrics_bind)
        expose_queue(grounds.database)
    config = WorkerConfig(
        host=settings.host_name,
        version=version("omkt-pipeline"),
        slots=settings.slots or slots,
        rescue_slots=settings.rescue_slots,
        threads=threads,
        scratch_root=settings.scratch_root,
        scratch_free_floor=settings.scratch_free_floor,
        lease_seconds=settings.lease_seconds,
        beat_seconds=settings.beat_seconds,
        grace_seconds=settings.grace_seconds,
        backoff_seconds=settings.backoff_seconds,
        idle_poll_seconds=settings.poll_seconds,
        liveness_file=settings.liveness_file,
        facts={**(facts or {}), NEAR: not settings.share_exported},
        # Probing reads a whole file and computes little: it belongs where the disk is.
        yields=settings.share_exported and pool is Pool.METADATA,
        gate=_gate(grounds) if settings.share_exported else lambda: None,
        identity=or_refuse(lambda: host_identity(settings.identity_file or settings.scratch_root / "host-identity")),
    )
    worker = Worker(
        database=grounds.database,
        share=grounds.share,
        pool=pool,
        handlers=handlers,
        config=config,
        chores=chores or queue_chores(grounds.database, settings),
    )
    try:
        worker.run()
    except Conflict as error:  # another machine of this name
        refuse(error)


def queue_chores(database: Database, settings: DaemonSettings, *, hurry: float = 1.0) -> list[Chore]:
    """The queue's ticks. Every daemon has them, if rarely: a lease that ran out is rescued by whoever looks next."""
    rescuer = Rescuer(database, lease_seconds=settings.lease_seconds)
    rescue_seconds, promote_seconds = settings.lease_seconds / 4 / hurry, max(0.5, settings.backoff_seconds / hurry)
    return [
        Chore(name="rescue", every_seconds=rescue_seconds, run=rescuer.rescue, rarest=_RESCUE_RAREST),
        Chore(name="promote", every_seconds=promote_seconds, run=lambda: promote(database), rarest=_PROMOTE_RAREST),
    ]


def _gate(grounds: Grounds) -> Callable[[], str | None]:
    """Why a host that works on another host's share must not work: how it is mounted here, or how it is exported there."""
    mounted = ShareGate(lambda: examine_share(grounds.share.root, farm_id=grounds.farm.id, over_nfs=True))
    exported = ExportsGate(grounds.database)
    return lambda: mounted.why_closed() or exported.why_closed()


def _grounds(database: Database, settings: CommonSettings) -> Grounds:
    check_revision(database)
    check_settings(database)
    farm = known_farm(database)
    share = Share.mounted_at(settings.share_root, farm_id=farm.id, free_floor_bytes=settings.share_free_floor)
    return Grounds(database=database, farm=farm, share=share)
