"""How an attempt ends without a result: failed, cancelled, or released because its worker stops."""

import random
from typing import Any

from sqlalchemy import Connection, exists, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import task, worker
from omkt_pipeline.db.types import now, now_plus
from omkt_pipeline.domain.errors import OmktError, ResultLost
from omkt_pipeline.domain.task import AttemptOutcome, Task, TaskState
from omkt_pipeline.queue.dependencies import release_if_free
from omkt_pipeline.queue.endings import fail_job
from omkt_pipeline.queue.guard import NO_LEASE, end_attempt, hold, move_if_leased
from omkt_pipeline.queue.redo import redo
from omkt_pipeline.queue.twins import twin_goes_on
from omkt_pipeline.queue.workers import UP

#: Tries that may end in the task's own error before it is given up.
MAX_FAILURES = 4
_BACKOFF_BASE_SECONDS = 10.0
_BACKOFF_CAP_SECONDS = 900.0
_LOG_TAIL_CHARACTERS = 8192


def backoff_seconds(earlier: int, *, base: float = _BACKOFF_BASE_SECONDS) -> float:
    """Full jitter: a random wait that doubles its bound with every earlier failure, up to fifteen minutes."""
    return random.uniform(0, min(_BACKOFF_CAP_SECONDS, base * 2.0**earlier))  # noqa: S311 - jitter, not a secret


def fail(
    database: Database, held: Task, error: OmktError, *, host: str, backoff_base: float = _BACKOFF_BASE_SECONDS
) -> None:
    """running -> delayed, to be tried again, or -> failed, and the job with it. Raises LeaseLost.

    Where results are lost that it needs, it waits until they have been made again. A task that was cancelled meanwhile is
    not tried again. Repeating any of these is no error.
    """

    def write(connection: Connection) -> None:
        row = hold(connection, held, AttemptOutcome.FAILED)
        if row is None:
            return
        ending: dict[str, Any] = {"state": TaskState.FAILED, "finished_at": now()}
        if row.cancel_requested:
            ending = {"state": TaskState.CANCELLED, "finished_at": now()}
        elif error.retryable and row.failures + 1 < MAX_FAILURES:
            ending = {
                "state": TaskState.WAITING if isinstance(error, ResultLost) else TaskState.DELAYED,
                "run_at": now_plus(backoff_seconds(row.failures, base=backoff_base)),
                "avoid_host": host if _others_alive(connection, held, host) else None,
            }
        move_if_leased(
            connection,
            held,
            failures=task.c.failures + 1,
            reason=error.code,
            message=error.message,
            **ending,
            **NO_LEASE,
        )
        _end(connection, held, AttemptOutcome.FAILED, error)
        if isinstance(error, ResultLost) and ending["state"] is TaskState.WAITING:
            redo(connection, held, error.names)
            release_if_free(connection, [held.id])  # they may have been done again a moment ago
        if ending["state"] is TaskState.FAILED and not twin_goes_on(connection, held.id):
            fail_job(connection, held.job_id, code=error.code, message=error.message)

    database.transact(write)


def release(database: Database, held: Task) -> None:
    """running -> ready, at no cost: the worker stops, the task did nothing wrong. Raises LeaseLost."""

    def write(connection: Connection) -> None:
        row = hold(connection, held, AttemptOutcome.RELEASED, AttemptOutcome.CANCELLED)
        if row is None:
            return
        if row.cancel_requested:
            _cancel(connection, held)
            return
        move_if_leased(connection, held, state=TaskState.READY, run_at=now(), progress=0.0, **NO_LEASE)
        end_attempt(connection, held.id, held.attempt, AttemptOutcome.RELEASED)

    database.transact(write)


def acknowledge_cancel(database: Database, held: Task) -> None:
    """running -> cancelled: the worker has stopped. Raises LeaseLost."""

    def write(connection: Connection) -> None:
        if hold(connection, held, AttemptOutcome.CANCELLED) is not None:
            _cancel(connection, held)

    database.transact(write)


def _cancel(connection: Connection, held: Task) -> None:
    move_if_leased(connection, held, state=TaskState.CANCELLED, reason="cancelled", finished_at=now(), **NO_LEASE)
    end_attempt(connection, held.id, held.attempt, AttemptOutcome.CANCELLED)


def _others_alive(connection: Connection, held: Task, host: str) -> bool:
    other = exists().where(worker.c.pool == held.kind.pool, worker.c.state == UP, worker.c.host != host)
    return bool(connection.execute(select(other)).scalar())


def _end(connection: Connection, held: Task, outcome: AttemptOutcome, error: OmktError) -> None:
    end_attempt(
        connection,
        held.id,
        held.attempt,
        outcome,
        error_code=error.code,
        message=error.message,
        log_tail=error.log_tail[-_LOG_TAIL_CHARACTERS:] if error.log_tail else None,
    )
