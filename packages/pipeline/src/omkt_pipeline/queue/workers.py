"""Workers in the database: who is up, what for, and what an operator wants of them."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import farm, task, worker
from omkt_pipeline.db.tables import host as host_table
from omkt_pipeline.db.types import now, now_plus
from omkt_pipeline.domain.task import Pool, TaskState
from omkt_pipeline.queue.maintenance import pools_of
from omkt_pipeline.queue.naming import ASIDE, DRAINING, GONE, UP, join

__all__ = [
    "ASIDE",
    "DRAINING",
    "GONE",
    "NEAR",
    "UP",
    "Orders",
    "WorkerView",
    "bury",
    "has_near_peer",
    "idle_peers",
    "register",
    "sign",
    "workers",
]


#: What a worker says of itself when the share is a folder of its own host.
NEAR = "share_near"


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


@dataclass(frozen=True)
class Orders:
    """What a worker hears when it signs."""

    drain: bool
    ousted: bool  #: another machine works under this host's name
    paused: bool = False  #: nobody of this pool shall claim


def register(
    database: Database,
    *,
    host: str,
    pool: Pool,
    version: str,
    slots: int,
    facts: Mapping[str, Any],
    identity: str = "",
    lease_seconds: float = 60.0,
) -> int:
    """Enter this process; return its id. It is known by a number drawn now: process ids repeat.

    Raises Conflict (code host_name_taken) while another machine works under the host's name.
    """
    boot_id = os.urandom(16)

    def enter(connection: Connection) -> int:
        join(connection, host, identity, lease_seconds=lease_seconds)
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

    # Two workers of a new host enter its name at the same moment: the second try finds it.
    with contextlib.suppress(IntegrityError):
        return database.transact(enter, landed=entered)
    return database.transact(enter, landed=entered)


def sign(
    database: Database,
    worker_id: int,
    *,
    state: str,
    note: str | None = None,
    identity: str = "",
    facts: Mapping[str, Any] | None = None,
) -> Orders:
    """Say that the worker lives and how it is; return what is wanted of it."""
    mine = worker.c.id == worker_id
    told: dict[str, Any] = {"state": state, "note": note[:255] if note else None}
    if facts is not None:
        told["facts"] = dict(facts)
    orders = (
        select(
            host_table.c.ordered,
            host_table.c.identity,
            worker.c.pool,
            select(farm.c.paused).limit(1).scalar_subquery().label("paused"),
        )
        .join(worker, worker.c.host == host_table.c.name)
        .where(mine)
    )

    def write(connection: Connection) -> Orders:
        connection.execute(update(worker).where(mine).values(seen_at=now(), **told))
        row = connection.execute(orders).first()
        if row is None:  # removed by the operator while it worked: it enters again when it starts again
            return Orders(drain=True, ousted=False)
        return Orders(
            drain=row.ordered == DRAINING,
            ousted=row.identity not in (None, identity),
            paused=row.pool in pools_of(row.paused),
        )

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


def has_near_peer(database: Database, pool: Pool) -> bool:
    """Whether a worker of the pool is up on the host whose disk the share is."""
    question = select(worker.c.facts).where(worker.c.state == UP, worker.c.pool == pool)
    found = database.fetch(lambda connection: connection.execute(question).scalars().all())
    return any((facts or {}).get(NEAR) for facts in found)


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
