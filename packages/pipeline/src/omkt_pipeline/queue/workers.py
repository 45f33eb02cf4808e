"""Workers in the database: who is up, what for, and what an operator wants of them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import task, worker
from omkt_pipeline.db.types import now, now_plus
from omkt_pipeline.domain.task import Pool, TaskState

UP, DRAINING, ASIDE, GONE = "up", "draining", "aside", "gone"


@dataclass(frozen=True, kw_only=True)
class WorkerView:
    """A worker as operators see it."""

    id: int
    host: str
    pool: Pool
    state: str
    note: str | None
    slots: int
    version: str
    facts: Mapping[str, Any]
    running: int
    started_at: datetime
    seen_at: datetime


def register(database: Database, *, host: str, pool: Pool, version: str, slots: int, facts: Mapping[str, Any]) -> int:
    """Enter this process; return its id. It is known by a number drawn now: host names and process ids repeat."""
    boot_id = os.urandom(16)

    def enter(connection: Connection) -> int:
        result = connection.execute(
            insert(worker).values(
                boot_id=boot_id,
                host=host,
                pool=pool,
                version=version,
                state=UP,
                slots=slots,
                facts=dict(facts),
                started_at=now(),
                seen_at=now(),
            )
        )
        assert result.inserted_primary_key is not None  # noqa: S101 - one row, one key
        return int(result.inserted_primary_key[0])

    def entered(connection: Connection) -> int | None:
        return connection.execute(select(worker.c.id).where(worker.c.boot_id == boot_id)).scalar()

    return database.transact(enter, landed=entered)


def sign(database: Database, worker_id: int, *, state: str, note: str | None = None) -> bool:
    """Say that the worker lives and how it is; return whether the operator ordered it to drain."""
    mine = worker.c.id == worker_id

    def write(connection: Connection) -> bool:
        connection.execute(
            update(worker).where(mine).values(seen_at=now(), state=state, note=note[:255] if note else None)
        )
        return connection.execute(select(worker.c.ordered).where(mine)).scalar() == DRAINING

    return database.transact(write)


def idle_peers(database: Database, pool: Pool) -> int:
    """How many workers of the pool are up and hold no task: those among whom the next one is found."""
    up = select(func.count()).select_from(worker).where(worker.c.state == UP, worker.c.pool == pool).scalar_subquery()
    busy = (
        select(func.count(task.c.worker_id.distinct()))
        .where(task.c.state == TaskState.RUNNING, task.c.pool == pool)
        .scalar_subquery()
    )
    return max(0, int(database.fetch(lambda connection: connection.execute(select(up - busy)).scalar_one())))


def order(database: Database, *, host: str, drain: bool) -> int:
    """Tell all living workers of a host to drain, or to work again; return how many. They obey when they sign next."""
    return database.transact(
        lambda connection: (
            connection.execute(
                update(worker)
                .where(worker.c.host == host, worker.c.state != GONE)
                .values(ordered=DRAINING if drain else None)
            ).rowcount
        )
    )


def bury(database: Database, *, silent_seconds: float) -> int:
    """Mark workers gone that have not signed for so long; return how many."""

    def write(connection: Connection) -> int:
        return connection.execute(
            update(worker)
            .where(worker.c.state != GONE, worker.c.seen_at < now_plus(-silent_seconds))
            .values(state=GONE, note="stopped signing")
        ).rowcount

    return database.transact(write)


def workers(database: Database, *, include_gone: bool = False) -> list[WorkerView]:
    """All workers, by host and age."""
    running = (
        select(task.c.worker_id, func.count().label("tasks"))
        .where(task.c.state == TaskState.RUNNING)
        .group_by(task.c.worker_id)
        .subquery()
    )
    question = (
        select(worker, func.coalesce(running.c.tasks, 0).label("running"))
        .join(running, running.c.worker_id == worker.c.id, isouter=True)
        .order_by(worker.c.host, worker.c.id)
    )
    if not include_gone:
        question = question.where(worker.c.state != GONE)
    rows = database.fetch(lambda connection: connection.execute(question).all())
    return [
        WorkerView(
            id=row.id,
            host=row.host,
            pool=Pool(row.pool),
            state=row.state,
            note=row.note,
            slots=row.slots,
            version=row.version,
            facts=row.facts or {},
            running=row.running,
            started_at=row.started_at,
            seen_at=row.seen_at,
        )
        for row in rows
    ]
