"""Is this host fit for its farm? `python -m omkt_pipeline.doctor` in any container, `omkt doctor` on the main host.

One line for each thing that was looked at: ok, or FAULT with what to do. Exit code 1 when there is a fault.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from omkt_pipeline.db.check import check_settings
from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.revision import check_revision
from omkt_pipeline.domain.errors import OmktError
from omkt_pipeline.domain.finding import Finding
from omkt_pipeline.logs import configure_logging
from omkt_pipeline.media import sandbox
from omkt_pipeline.media.tools import find_tools
from omkt_pipeline.queue.exports import export_faults
from omkt_pipeline.queue.farm import known_farm
from omkt_pipeline.queue.naming import identity_of
from omkt_pipeline.settings import DaemonSettings
from omkt_pipeline.storage.identity import host_identity
from omkt_pipeline.storage.trial import examine_share

_SKEW_SECONDS = 2.0
_TRIAL_BYTES = 16 << 20


def examine(settings: DaemonSettings, *, with_ffmpeg: bool) -> Iterator[Finding]:
    """Look at everything that this host's daemons stand on; what cannot be reached ends what hangs on it, not the rest."""
    password = settings.database_password
    database = Database(settings.database_url, password=password.get_secret_value() if password else None, pool_size=1)
    try:
        reached = _database(database)
        yield reached
        if reached.fine:
            yield _asked("database: settings", "The server keeps what it confirmed.", lambda: check_settings(database))
            yield _asked("database: schema", "The schema is this version's.", lambda: check_revision(database))
            yield _clock(database)
            yield _name(database, settings)
            if settings.share_exported:
                yield from _exports(database)
        yield from examine_share(
            settings.share_root,
            farm_id=_farm_id(database) if reached.fine else None,
            over_nfs=settings.share_exported,
        )
    finally:
        database.close()
    yield _scratch(settings.scratch_root, settings.scratch_free_floor)
    if with_ffmpeg:
        yield _ffmpeg(settings)
        yield _sandbox(settings)


def _database(database: Database) -> Finding:
    where = database.url.render_as_string(hide_password=True)
    try:
        with database.reading_engine.connect() as connection:
            version = "SQLite" if database.is_sqlite else connection.execute(text("SELECT VERSION()")).scalar_one()
    except (DBAPIError, OSError) as error:
        reason = getattr(error, "orig", error)
        return Finding(
            subject="database",
            found=f"{where} does not let this host in: {reason}.",
            cure="Is the main host up, its port open to this host, and the invitation the newest one (omkt hosts invite)?",
        )
    return Finding(subject="database", found=f"{where} answers ({version}).")


def _asked(subject: str, fine: str, ask: Callable[[], None]) -> Finding:
    try:
        ask()
    except OmktError as error:
        return Finding(subject=subject, found=error.message, cure="Then check again.")
    except DBAPIError as error:
        return Finding(subject=subject, found=f"The database refused: {error.orig}.", cure="Run omkt migrate.")
    return Finding(subject=subject, found=fine)


def _clock(database: Database) -> Finding:
    """The queue trusts the database's clock alone; logs, certificates and files carry this host's."""
    epoch = "strftime('%s','now')" if database.is_sqlite else "UNIX_TIMESTAMP(NOW(6))"
    with database.read() as connection:
        connection.execute(text("SELECT 1"))
        before = time.time()
        there = float(connection.execute(text(f"SELECT {epoch}")).scalar_one())
        here = (before + time.time()) / 2
    skew = here - there
    found = f"This host's clock is {abs(skew):.2f} s {'ahead of' if skew > 0 else 'behind'} the database's."
    fine = abs(skew) < _SKEW_SECONDS
    return Finding(subject="clock", found=found, cure=None if fine else "Keep the clocks of all hosts by NTP (chrony).")


def _name(database: Database, settings: DaemonSettings) -> Finding:
    known = identity_of(database, settings.host_name)
    if known is None:
        return Finding(subject="name", found=f"{settings.host_name} has not worked here yet.")
    try:
        mine = host_identity(settings.identity_file or settings.scratch_root / "host-identity")
    except OmktError as error:
        return Finding(subject="name", found=error.message, cure="Then check again.")
    if mine == known:
        return Finding(subject="name", found=f"{settings.host_name} is this machine's.")
    return Finding(
        subject="name",
        found=f"Another machine has worked under the name {settings.host_name}.",
        cure="Give this one a name of its own (OMKT_HOST_NAME), or stop the other: a minute later the name is free.",
    )


def _exports(database: Database) -> Iterator[Finding]:
    faults = export_faults(database)
    for fault in faults:
        yield Finding(subject="share: exports", found=fault, cure="Then check again.")
    if not faults:
        yield Finding(subject="share: exports", found="The main host exports the share safely.")


def _farm_id(database: Database) -> str | None:
    try:
        return known_farm(database).id
    except OmktError:
        return None


def _scratch(root: Path, floor: int) -> Finding:
    part = root / f".doctor-{os.getpid()}"
    try:
        free = psutil.disk_usage(str(root)).free
        begun = time.monotonic()
        with part.open("wb") as stream:
            stream.write(os.urandom(_TRIAL_BYTES))
            os.fsync(stream.fileno())
        speed = _TRIAL_BYTES / (time.monotonic() - begun) / 1e6
    except OSError as error:
        return Finding(
            subject="scratch",
            found=f"{root} cannot be written by uid {os.getuid()}: {error.strerror}.",
            cure="Give OMKT_SCRATCH_ROOT a folder of a local disk that this user may write to.",
        )
    finally:
        part.unlink(missing_ok=True)
    found = f"{root} has {free >> 20} MiB free and takes {speed:.0f} MB/s."
    return Finding(
        subject="scratch", found=found, cure=None if free > floor else "Make room: below the floor nothing is claimed."
    )


def _ffmpeg(settings: DaemonSettings) -> Finding:
    try:
        tools = find_tools(settings.ffmpeg, settings.ffprobe)
    except OmktError as error:
        return Finding(subject="ffmpeg", found=error.message, cure="Then check again.")
    encoders = ", ".join(sorted(tools.encoders or ()))
    return Finding(subject="ffmpeg", found=f"{tools.ffmpeg} is version {tools.version} with {encoders}.")


def _sandbox(settings: DaemonSettings) -> Finding:
    try:
        return Finding(subject="sandbox", found=str(sandbox.checked(required=settings.sandbox_required)))
    except OmktError as error:
        return Finding(subject="sandbox", found=error.message, cure="Then check again.")


def main() -> int:
    """Read the environment, print the findings. The API's image has no ffmpeg, and needs none."""
    configure_logging(service="doctor", host="", level="ERROR", style="console")
    try:
        settings = DaemonSettings()
    except ValidationError as error:
        faults = "; ".join(
            f"OMKT_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors() if fault["loc"]
        )
        print(f"FAULT settings: {faults}")  # noqa: T201
        return 1
    fine = True
    for finding in examine(settings, with_ffmpeg=find_spec("omkt_api") is None):
        fine = fine and finding.fine
        print(f"{'ok   ' if finding.fine else 'FAULT'} {finding.subject}: {finding}", flush=True)  # noqa: T201
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
