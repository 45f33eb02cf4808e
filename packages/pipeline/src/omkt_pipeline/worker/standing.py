"""How a worker stands in the farm: what it signs every few seconds, the orders that it gets, and whether it may claim."""

import contextlib
import time
from typing import Any

import psutil
import structlog

from omkt_pipeline import metrics
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import OmktError, Unavailable
from omkt_pipeline.domain.task import AttemptOutcome, Pool, Task, TaskKind
from omkt_pipeline.queue.workers import ASIDE, DRAINING, GONE, UP, Orders, has_near_peer, idle_peers, register, sign
from omkt_pipeline.storage.share import Share
from omkt_pipeline.worker.confidence import Confidence
from omkt_pipeline.worker.config import WorkerConfig
from omkt_pipeline.worker.speed import Speed

log = structlog.get_logger(__name__)

#: So many idle workers look as often as a few need to: with more, each of them looks rarer, up to so many times.
_CROWD = 8
_RAREST = 6.0
#: How long a worker that yields leaves a task to others: they get through a burst, and a backlog is shared.
_YIELD_SECONDS = 20.0


class Standing:
    """The row of one worker, and what follows from it. Registers at once; raises Unavailable."""

    def __init__(self, database: Database, share: Share, pool: Pool, config: WorkerConfig) -> None:
        self._database = database
        self._share = share
        self._pool = pool
        self._config = config
        self._confidence = Confidence()
        self._speed = Speed()
        self._shown: tuple[str, str | None] = (UP, None)
        self._orders = Orders(drain=False, ousted=False)
        #: How long what has just become ready is left to others.
        self.patience_seconds = 0.0
        #: How many times rarer than alone this worker looks around, because others of its pool look too.
        self.rarer = 1.0
        self.worker_id = register(
            database,
            host=config.host,
            pool=pool,
            version=config.version,
            slots=config.slots,
            facts=self._facts(),
            identity=config.identity,
            lease_seconds=config.lease_seconds,
        )

    def may_claim(self) -> bool:
        """Whether work may be taken now; when that changes, says so at once, with the reason."""
        reason = self._why_paused()
        metrics.PAUSED.set(0 if reason is None else 1)
        shown = (UP if reason is None else DRAINING if self._orders.drain else ASIDE, reason)
        if shown != self._shown:
            log.warning("claims paused" if reason else "claims go on", event_code="claims", reason=reason)
            self._shown = shown
            with contextlib.suppress(Unavailable):
                self.sign()
        return reason is None

    def sign(self) -> None:
        """Show that the worker lives and how, and take the operator's orders. Raises Unavailable."""
        state, note = self._shown
        self._orders = sign(
            self._database, self.worker_id, state=state, note=note, identity=self._config.identity, facts=self._facts()
        )
        yields = self._config.yields and has_near_peer(self._database, self._pool)
        self.patience_seconds = _YIELD_SECONDS if yields else 0.0
        self.rarer = min(_RAREST, max(1.0, idle_peers(self._database, self._pool) / _CROWD))

    def ended(self, task: Task, outcome: AttemptOutcome, *, seconds: float, at_once: int) -> None:
        """Note how an attempt ended that took so long, with so many beside each other: how fast the worker is, and
        whether the fault may be its own."""
        if outcome is AttemptOutcome.OK:
            self._confidence.succeeded()
            if task.kind is TaskKind.ENCODE:
                self._speed.finished(task.cost, seconds, at_once=at_once)
        elif outcome is AttemptOutcome.FAILED and self._confidence.failed(task.id, time.monotonic()):
            log.error("everything fails here; stepping aside", event_code="set_aside")

    def stopping(self) -> None:
        """Say that nothing more is claimed, because the process has been told to end."""
        self._shown = (DRAINING, "stopping")
        with contextlib.suppress(Unavailable):
            self.sign()

    def leave(self) -> None:
        """Say that the process has ended."""
        try:
            sign(self._database, self.worker_id, state=GONE, note="stopped")
        except Unavailable:
            log.warning("could not sign off", event_code="no_goodbye")

    def _facts(self) -> dict[str, Any]:
        """What this process says of itself and its machine."""
        facts = {**self._config.facts, "cores": self._config.threads, "speed": self._speed.value}
        with contextlib.suppress(OSError):
            facts["scratch_free"] = psutil.disk_usage(str(self._config.scratch_root)).free
        facts["memory"] = psutil.virtual_memory().total
        return facts

    def _why_paused(self) -> str | None:
        """Why nothing is claimed now, in words for the operator; None when claiming is fine."""
        if self._orders.ousted:
            return f"another machine works under the name {self._config.host}"
        if self._orders.drain:
            return "drained by the operator"
        if self._orders.paused:
            return "paused by the operator, as all of this kind"
        if self._confidence.is_aside(time.monotonic()):
            return "set aside: everything failed here"
        return self._closed() or self._no_room()

    def _closed(self) -> str | None:
        try:
            return self._config.gate()
        except Unavailable as error:
            return error.message

    def _no_room(self) -> str | None:
        try:
            self._share.check_sentinel()
            if self._share.free_bytes() < 0:
                return f"the share has less than {self._share.free_floor_bytes >> 20} MiB left"
            if psutil.disk_usage(str(self._config.scratch_root)).free < self._config.scratch_free_floor:
                return f"the scratch disk has less than {self._config.scratch_free_floor >> 20} MiB left"
        except OmktError as error:
            return error.message
        except OSError as error:
            return f"the scratch disk does not answer: {error.strerror}"
        return None
