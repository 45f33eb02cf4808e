"""The guard of every write of a worker: task, attempt, token and state, and a row count that is checked."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, update

from omkt_pipeline.db.tables import task, task_attempt
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.errors import LeaseLost, Stopped
from omkt_pipeline.domain.task import AttemptOutcome, Task, TaskState

#: What every row is set to when its lease ends, whatever the reason.
NO_LEASE: dict[str, Any] = {"lease_token": None, "lease_until": None, "worker_id": None}


def leased(held: Task) -> ColumnElement[bool]:
    """True of the row only while this attempt holds it."""
    return (
        (task.c.id == held.id)
        & (task.c.state == TaskState.RUNNING)
        & (task.c.attempt == held.attempt)
        & (task.c.lease_token == held.token)
    )


def move_if_leased(connection: Connection, held: Task, **values: Any) -> None:
    """Write to the task this attempt holds. Raises LeaseLost when it holds it no more."""
    if connection.execute(update(task).where(leased(held)).values(**values)).rowcount != 1:
        raise LeaseLost(f"task {held.id} attempt {held.attempt}")


def settled_before(connection: Connection, held: Task) -> bool:
    """Whether this very attempt was settled by a transaction whose answer got lost."""
    row = connection.execute(
        select(task.c.published_attempt, task_attempt.c.token)
        .join(task_attempt, (task_attempt.c.task_id == task.c.id) & (task_attempt.c.attempt == held.attempt))
        .where(task.c.id == held.id)
    ).first()
    return row is not None and row.published_attempt == held.attempt and row.token == held.token


def hold(connection: Connection, held: Task, *endings: AttemptOutcome) -> Row[Any, Any] | None:
    """Lock the task that this attempt holds, so that no cancellation slips in, and return its counters.

    None when the attempt has already ended in one of these ways: by a transaction whose answer got lost. Raises
    LeaseLost when it is not ours any more.
    """
    row = connection.execute(
        select(task.c.failures, task.c.cancel_requested).where(leased(held)).with_for_update()
    ).first()
    if row is not None:
        return row
    outcome = connection.execute(select(task_attempt.c.outcome).where(task_attempt.c.token == held.token)).scalar()
    if outcome in endings:
        return None
    raise LeaseLost(f"task {held.id} attempt {held.attempt}")


def why_not(connection: Connection, held: Task) -> LeaseLost | Stopped:
    """The reason why a guarded write found no row: cancelled while still ours, or not ours any more."""
    still_ours = connection.execute(select(task.c.cancel_requested).where(leased(held))).scalar()
    if still_ours:
        return Stopped("cancelled", code="cancelled")
    return LeaseLost(f"task {held.id} attempt {held.attempt}")


def end_attempt(
    connection: Connection,
    task_id: int,
    attempt: int,
    outcome: AttemptOutcome,
    *,
    error_code: str | None = None,
    message: str | None = None,
    log_tail: str | None = None,
) -> None:
    """Close the record of an attempt."""
    connection.execute(
        update(task_attempt)
        .where(task_attempt.c.task_id == task_id, task_attempt.c.attempt == attempt)
        .values(ended_at=now(), outcome=outcome, error_code=error_code, message=message, log_tail=log_tail)
    )
