"""Rescue and promote: tasks whose lease ran out, and tasks whose time has come. Any daemon may; several at once are safe."""

import time
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import Connection, Row, Select, exists, func, select, text, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import task, task_edge
from omkt_pipeline.db.types import now, now_plus
from omkt_pipeline.domain.task import AttemptOutcome, TaskState
from omkt_pipeline.queue.dependencies import release_if_free
from omkt_pipeline.queue.endings import fail_job
from omkt_pipeline.queue.giveback import backoff_seconds
from omkt_pipeline.queue.guard import NO_LEASE, end_attempt
from omkt_pipeline.queue.twins import twin_goes_on

log = structlog.get_logger(__name__)

#: Workers that may vanish with a task before it is set aside as poison.
MAX_LOSSES = 3
#: Ready tasks older than this move up one priority class, so that a low one is late but not lost.
AGE_STEP_SECONDS = 3600.0
_BATCH = 50
_CLOCK_STEP_SECONDS = 5.0
_SILENCE_SECONDS = 15.0
#: Fewer expired leases than this are never taken for a mass accident.
_MASS_FROM = 5


class Rescuer:
    """Puts tasks of vanished workers back into the queue, with a guard against rescuing everything by mistake.

    If the database's clock jumped, if the database was away, or if most leases are expired at once, living workers get
    one whole lease to renew before anything is taken from them.
    """

    def __init__(
        self, database: Database, *, lease_seconds: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._lease_seconds = lease_seconds
        self._monotonic = monotonic
        self._last: tuple[float, float] | None = None
        self._hold_until = 0.0

    def rescue(self) -> int:
        """Take back expired leases; return how many."""
        if self._must_wait():
            return 0
        rescued = self._database.transact(self._take_back)
        if rescued:
            log.warning("leases ran out", event_code="rescued", tasks=rescued)
        return rescued

    def _must_wait(self) -> bool:
        here = self._monotonic()
        there, expired, running = self._database.fetch(self._look)
        previous, self._last = self._last, (there, here)
        if here < self._hold_until:
            return True
        if expired == 0:
            self._hold_until = 0.0
            return True
        stepped = previous is not None and abs((there - previous[0]) - (here - previous[1])) > _CLOCK_STEP_SECONDS
        silent = previous is not None and here - previous[1] > max(_SILENCE_SECONDS, self._lease_seconds)
        mass = expired >= _MASS_FROM and expired * 2 > running
        if stepped or silent or (mass and self._hold_until == 0.0):
            log.warning("waiting one lease before rescuing", event_code="rescue_held", expired=expired, running=running)
            self._hold_until = here + self._lease_seconds
            return True
        self._hold_until = 0.0
        return False

    def _look(self, connection: Connection) -> tuple[float, int, int]:
        epoch = "strftime('%s','now')" if connection.dialect.name == "sqlite" else "UNIX_TIMESTAMP(NOW(6))"
        clock = float(connection.execute(text(f"SELECT {epoch}")).scalar_one())
        running = task.c.state == TaskState.RUNNING
        expired = connection.execute(select(func.count()).where(running, task.c.lease_until < now())).scalar_one()
        if expired == 0:
            return clock, 0, 0
        return clock, expired, connection.execute(select(func.count()).where(running)).scalar_one()

    def _take_back(self, connection: Connection) -> int:
        rows = connection.execute(expired_leases()).all()
        for row in rows:
            self._lost(connection, row)
        return len(rows)

    def _lost(self, connection: Connection, row: Row[Any]) -> None:
        message = f"The worker of this task vanished {row.losses + 1} times."
        wait = 0.0 if row.losses == 0 else backoff_seconds(row.losses, base=min(10.0, self._lease_seconds))
        ending: dict[str, Any] = {"state": TaskState.DELAYED, "run_at": now_plus(wait)}
        freed = dict(NO_LEASE)
        if row.cancel_requested:
            ending = {"state": TaskState.CANCELLED, "finished_at": now()}
        elif row.losses + 1 >= MAX_LOSSES:
            ending = {"state": TaskState.QUARANTINED, "finished_at": now()}
        elif row.losses == 0:
            # Stays written as the mark of work that even a busy worker takes. Not when it is lost again: whatever takes its
            # workers down is not to be laid upon one that is full.
            del freed["lease_until"]
        matched = connection.execute(
            update(task)
            .where(task.c.id == row.id, task.c.attempt == row.attempt, task.c.state == TaskState.RUNNING)
            .values(losses=row.losses + 1, reason="worker_lost", message=message, **ending, **freed)
        ).rowcount
        if matched:
            end_attempt(connection, row.id, row.attempt, AttemptOutcome.LOST, error_code="worker_lost")
            if ending["state"] is TaskState.QUARANTINED and not twin_goes_on(connection, row.id):
                fail_job(connection, row.job_id, code="quarantined", message=message)


def expired_leases() -> Select[Any]:
    """The statement that finds and locks tasks whose lease ran out."""
    return (
        select(task.c.id, task.c.attempt, task.c.losses, task.c.cancel_requested, task.c.job_id)
        .with_hint(task, "FORCE INDEX (k_lease)", "mysql")
        .with_hint(task, "FORCE INDEX (k_lease)", "mariadb")
        .where(task.c.state == TaskState.RUNNING, task.c.lease_until < now())
        .order_by(task.c.lease_until, task.c.id)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    )


def due_tasks() -> Select[Any]:
    """The statement that finds and locks delayed tasks whose time has come."""
    return (
        select(task.c.id)
        .with_hint(task, "FORCE INDEX (k_due)", "mysql")
        .with_hint(task, "FORCE INDEX (k_due)", "mariadb")
        .where(task.c.state == TaskState.DELAYED, task.c.run_at <= now())
        .order_by(task.c.run_at, task.c.id)
        .limit(200)
        .with_for_update(skip_locked=True)
    )


def promote(database: Database) -> int:
    """delayed -> ready for tasks whose time has come; return how many."""
    due = select(task.c.id).where(task.c.state == TaskState.DELAYED, task.c.run_at <= now()).limit(1)
    if database.fetch(lambda connection: connection.execute(due).first()) is None:
        return 0

    def move(connection: Connection) -> int:
        ids = list(connection.execute(due_tasks()).scalars())
        if ids:
            connection.execute(
                update(task).where(task.c.id.in_(ids), task.c.state == TaskState.DELAYED).values(state=TaskState.READY)
            )
        return len(ids)

    return database.transact(move)


def aged_tasks() -> Select[Any]:
    """The statement that finds and locks ready tasks that waited long in a low priority class."""
    return (
        select(task.c.id)
        .with_hint(task, "FORCE INDEX (k_due)", "mysql")
        .with_hint(task, "FORCE INDEX (k_due)", "mariadb")
        .where(task.c.state == TaskState.READY, task.c.run_at < now_plus(-AGE_STEP_SECONDS), task.c.band > 10)
        .order_by(task.c.run_at, task.c.id)
        .limit(200)
        .with_for_update(skip_locked=True)
    )


def forgotten_tasks() -> Select[Any]:
    """The statement that finds tasks that have waited long although nothing they need is missing."""
    needed = task.alias("needed")
    missing = exists().where(
        task_edge.c.task_id == task.c.id, needed.c.id == task_edge.c.needs_id, needed.c.state != TaskState.DONE
    )
    return (
        select(task.c.id)
        .with_hint(task, "FORCE INDEX (k_due)", "mysql")
        .with_hint(task, "FORCE INDEX (k_due)", "mariadb")
        .where(task.c.state == TaskState.WAITING, task.c.run_at < now_plus(-AGE_STEP_SECONDS), ~missing)
        .order_by(task.c.run_at, task.c.id)
        .limit(200)
    )


def promote_aged(database: Database) -> int:
    """Move ready tasks that waited long one priority class up; free waiting tasks that were forgotten. Return how many."""

    def move(connection: Connection) -> int:
        aged = list(connection.execute(aged_tasks()).scalars())
        if aged:
            connection.execute(
                update(task)
                .where(task.c.id.in_(aged), task.c.state == TaskState.READY)
                .values(band=task.c.band - 40, run_at=now())
            )
        forgotten = list(connection.execute(forgotten_tasks()).scalars())
        return len(aged) + (release_if_free(connection, forgotten) if forgotten else 0)

    return database.transact(move)
