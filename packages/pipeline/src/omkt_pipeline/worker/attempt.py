"""One attempt from claim to end: run the handler, settle what it made, or record why there is nothing."""

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import structlog

from omkt_pipeline import metrics
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.effects import Settlement
from omkt_pipeline.domain.errors import LeaseLost, OmktError, ResultLost, ShareUnusable, Stopped, ToolError, Unavailable
from omkt_pipeline.domain.task import Artifact, AttemptOutcome, Task
from omkt_pipeline.queue.giveback import acknowledge_cancel, fail, release
from omkt_pipeline.queue.inputs import Inputs
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.storage.share import Share
from omkt_pipeline.worker.context import Handler, TaskContext

log = structlog.get_logger(__name__)

_SETTLE_PAUSE_SECONDS = 0.5


class StopReason(StrEnum):
    """Why a running attempt is told to stop."""

    CANCELLED = "cancelled"
    DRAINING = "draining"
    LEASE_LOST = "lease_lost"


@dataclass(kw_only=True)
class Attempt:
    """A task that this worker holds, as its threads share it."""

    task: Task
    threads: int = 1  #: CPU threads that the handler may use
    stop: threading.Event = field(default_factory=threading.Event)
    reason: StopReason | None = None
    progress: float = 0.0
    #: Monotonic time of the last moment at which the lease was surely ours.
    held_at: float = field(default_factory=time.monotonic)

    def end(self, reason: StopReason) -> None:
        """Tell the handler to stop. The first reason counts, except that a lost lease beats all."""
        if self.reason is None or reason is StopReason.LEASE_LOST:
            self.reason = reason
        self.stop.set()

    def report(self, fraction: float) -> None:
        self.progress = min(1.0, max(self.progress, fraction))


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What all attempts of a worker have in common."""

    database: Database
    share: Share
    scratch: Path  #: this worker's own folder
    host: str
    backoff_seconds: float


def run(attempt: Attempt, handler: Handler, around: Surroundings) -> AttemptOutcome:
    """Run one attempt to its end and return how it ended. Never raises: a fault in one task must not stop others."""
    task = attempt.task
    scratch = around.scratch / f"{task.id}-{task.folder_name}"
    begun = time.monotonic()

    def work() -> Settlement:
        scratch.mkdir(parents=True)
        return handler(
            TaskContext(
                task=task,
                share=around.share,
                scratch=scratch,
                threads=attempt.threads,
                stop=attempt.stop,
                report=attempt.report,
            )
        )

    try:
        outcome = _ended(attempt, work, around)
    except LeaseLost:
        metrics.FENCED.inc()
        log.warning("lease lost; this attempt leaves no trace", event_code="fenced")
        outcome = AttemptOutcome.LOST
    except Exception:  # the database is away, or a bug: the lease runs out, and the task is rescued elsewhere
        log.exception("the end of an attempt could not be recorded", event_code="attempt_unrecorded")
        outcome = AttemptOutcome.LOST
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    seconds = time.monotonic() - begun
    metrics.ATTEMPTS.labels(task.kind, outcome).inc()
    metrics.ATTEMPT_SECONDS.labels(task.kind).observe(seconds)
    log.info("attempt ended", event_code="attempt_ended", outcome=outcome.value, seconds=round(seconds, 3))
    return outcome


def _ended(attempt: Attempt, work: Callable[[], Settlement], around: Surroundings) -> AttemptOutcome:
    try:
        _settle(attempt, work(), around)
    except Stopped as stopped:
        return _stopped(attempt, stopped, around)
    except LeaseLost:
        raise
    except OmktError as error:
        return _failed(attempt, error, around)
    except Exception as error:  # a bug in a handler is this task's failure, tried again like any other
        log.exception("a handler broke", event_code="handler_broke")
        return _failed(attempt, _internal(error), around)
    return AttemptOutcome.OK


def _settle(attempt: Attempt, settlement: Settlement, around: Surroundings) -> None:
    """Settle, patiently while the database is away and the lease is ours; clean up behind a refused attempt."""
    try:
        _patiently(attempt, lambda: settle(around.database, attempt.task, settlement))
    except (LeaseLost, Stopped):
        if settlement.folder is not None:
            around.share.remove(settlement.folder)
        raise


def _stopped(attempt: Attempt, stopped: Stopped, around: Surroundings) -> AttemptOutcome:
    reason = attempt.reason or (StopReason.CANCELLED if stopped.code == "cancelled" else StopReason.DRAINING)
    if reason is StopReason.LEASE_LOST:
        raise LeaseLost from stopped
    if reason is StopReason.CANCELLED:
        _patiently(attempt, lambda: acknowledge_cancel(around.database, attempt.task))
        return AttemptOutcome.CANCELLED
    _patiently(attempt, lambda: release(around.database, attempt.task))
    return AttemptOutcome.RELEASED


def _failed(attempt: Attempt, error: OmktError, around: Surroundings) -> AttemptOutcome:
    error = _explained(_believed(error, around.share), attempt.task, around)
    log.warning(
        "attempt failed", event_code="attempt_failed", code=error.code, reason=error.message, retryable=error.retryable
    )
    _patiently(
        attempt,
        lambda: fail(around.database, attempt.task, error, host=around.host, backoff_base=around.backoff_seconds),
    )
    return AttemptOutcome.FAILED


def _believed(error: OmktError, share: Share) -> OmktError:
    """A verdict for good counts only where the share is the share: from an empty mount every source is missing or broken."""
    if not error.retryable:
        try:
            share.check_sentinel()
        except OmktError as unfit:
            return unfit
    return error


def _explained(error: OmktError, task: Task, around: Surroundings) -> OmktError:
    """ResultLost in the place of what a task says that misses what it needs."""
    try:
        around.share.check_sentinel()
        needed = Inputs(around.database).inputs_of(task)
    except ResultLost as lost_before:
        return lost_before
    except OmktError:
        return error
    damaged = error.code == "file_damaged"
    lost = [
        name
        for name, staged in needed.items()
        if any(_is_gone(staged.folder, file, around.share, checksum=damaged) for file in staged.artifacts)
    ]
    return ResultLost(lost) if lost else error


def _is_gone(folder: str, file: Artifact, share: Share, *, checksum: bool) -> bool:
    """Whether a file is surely not what was stored: a share that does not answer may still have it."""
    try:
        share.verified(folder, file, checksum=checksum)
    except ShareUnusable as unfit:
        return unfit.code == "file_damaged" or isinstance(unfit.__cause__, FileNotFoundError)
    return False


def _patiently(attempt: Attempt, write: Callable[[], None]) -> None:
    while True:
        try:
            return write()
        except Unavailable:
            if attempt.reason is StopReason.LEASE_LOST:
                raise
            time.sleep(_SETTLE_PAUSE_SECONDS)


def _internal(error: Exception) -> OmktError:
    return ToolError(f"Something unforeseen happened: {type(error).__name__}.", code="internal", log_tail=repr(error))
