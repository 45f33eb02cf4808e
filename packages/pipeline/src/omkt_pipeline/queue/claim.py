"""Claim: take the next ready task, alone, for a limited time.

Every equality and the whole order of the claim lie in one index (k_claim). If the server had to sort, SKIP LOCKED would
lock every ready row, and other workers would be told that the queue is empty.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job, task, task_attempt
from omkt_pipeline.db.types import now, now_plus
from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.task import SPEC_VERSION, Pool, Task, TaskKind, TaskState
from omkt_pipeline.queue.limits import limited_accounts, take_place

#: A task that failed on a host is left to other hosts for so long; then any host may try.
AVOID_SECONDS = 60.0
#: The index in which what vanished workers left lies together.
_OF_LEASES = "k_lease"
_FIRST_KINDS = (TaskKind.FETCH, TaskKind.CONCAT, TaskKind.PROBE, TaskKind.MEASURE, TaskKind.PLAN)


@dataclass(frozen=True, kw_only=True)
class Claimant:
    """Who claims: a registered worker."""

    worker_id: int
    host: str
    pool: Pool
    lease_seconds: float
    patience_seconds: float = 0.0  #: a task that has not been ready for so long is left to others
    lost_only: bool = False  #: nothing but what a vanished worker left: the claimant has no free slot


def claim_candidate(
    pool: Pool, host: str, *, patience_seconds: float = 0.0, full: Collection[int] = (), lost_only: bool = False
) -> Any:
    """The statement that finds and locks the next task of a pool that is of no account in `full`.

    Its plan is checked on the real servers.
    """
    index, order = (_OF_LEASES, (task.c.lease_until,)) if lost_only else ("k_claim", (task.c.band, task.c.fair_key))
    statement = (
        select(
            task.c.id,
            task.c.job_id,
            task.c.job_key,
            task.c.media_id,
            task.c.account_id,
            task.c.kind,
            task.c.spec,
            task.c.attempt,
            task.c.cost,
        )
        .where(
            *_claimable(pool, full, patience_seconds),
            *_lost(lost_only),
            or_(task.c.avoid_host.is_(None), task.c.avoid_host != host, task.c.run_at < now_plus(-AVOID_SECONDS)),
        )
        .order_by(*order, task.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return _by(index, statement)


def has_ready(database: Database, pool: Pool, *, patience_seconds: float = 0.0, lost_only: bool = False) -> bool:
    """Whether a claim is worth its transaction: a worker's poll, one indexed read while nothing is ready."""

    def found(full: Collection[int]) -> bool:
        statement = select(task.c.id).where(*_claimable(pool, full, patience_seconds), *_lost(lost_only)).limit(1)
        if lost_only:  # few rows of this index have a lease, and all ready ones of a pool lie in the other
            statement = _by(_OF_LEASES, statement)
        return database.fetch(lambda connection: connection.execute(statement).first()) is not None

    if not found(()):
        return False
    full = _full(database)
    return not full or found(full)


def ready_count(database: Database, pool: Pool, *, at_most: int, min_cost: float = 0.0) -> int:
    """How many tasks of the pool that cost at least `min_cost` are ready, counted no further than `at_most`."""
    found = *_claimable(pool, _full(database)), task.c.cost >= min_cost
    some = select(task.c.id).where(*found).limit(at_most).subquery()
    return database.fetch(lambda connection: connection.execute(select(func.count()).select_from(some)).scalar_one())


def _claimable(pool: Pool, full: Collection[int], patience_seconds: float = 0.0) -> Iterator[Any]:
    yield task.c.state == TaskState.READY
    yield task.c.pool == pool
    yield task.c.spec_version <= SPEC_VERSION
    if full:
        yield task.c.account_id.not_in(full)
    if patience_seconds:
        yield task.c.run_at <= now_plus(-patience_seconds)


def _by(index: str, statement: Any) -> Any:
    """The statement, by an index of the tasks that the server must take."""
    hint = f"FORCE INDEX ({index})"
    return statement.with_hint(task, hint, "mysql").with_hint(task, hint, "mariadb")


def _lost(lost_only: bool) -> Iterator[Any]:
    if lost_only:  # the lease that ran out stays written on a task that was lost once: see queue/rescue.py
        yield task.c.lease_until.is_not(None)


def _full(database: Database) -> list[int]:
    return [account_id for account_id, free in limited_accounts(database).items() if not free]


def claim(database: Database, claimant: Claimant, token: bytes) -> Task | None:
    """Lease the next ready task to the claimant, or return None. `token` must be new: 16 random bytes."""
    limited = limited_accounts(database)
    full = [account_id for account_id, free in limited.items() if not free]

    def take(connection: Connection) -> Task | None:
        row = connection.execute(
            claim_candidate(
                claimant.pool,
                claimant.host,
                patience_seconds=claimant.patience_seconds,
                full=full,
                lost_only=claimant.lost_only,
            )
        ).first()
        if row is None or (row.account_id in limited and not take_place(connection, row.account_id)):
            return None
        connection.execute(
            update(task)
            .where(task.c.id == row.id, task.c.state == TaskState.READY)
            .values(
                state=TaskState.RUNNING,
                attempt=row.attempt + 1,
                lease_token=token,
                lease_until=now_plus(claimant.lease_seconds),
                worker_id=claimant.worker_id,
                progress=0.0,
            )
        )
        connection.execute(
            insert(task_attempt).values(
                task_id=row.id,
                attempt=row.attempt + 1,
                token=token,
                worker_id=claimant.worker_id,
                host=claimant.host,
                started_at=now(),
            )
        )
        if row.kind in _FIRST_KINDS:
            connection.execute(
                update(job)
                .where(job.c.id == row.job_id, job.c.state == JobState.QUEUED)
                .values(state=JobState.RUNNING, started_at=now())
            )
        return _task(row, row.attempt + 1, token)

    def taken(connection: Connection) -> Task | None:
        return _claimed_before(connection, token)

    try:
        return database.transact(take, landed=taken)
    except IntegrityError:
        # The token is known: an earlier try counted, but only after it was asked for, or was rescued since.
        return database.fetch(taken)


def _claimed_before(connection: Connection, token: bytes) -> Task | None:
    row = connection.execute(
        select(task).where(task.c.id == _attempted_task(token), task.c.state == TaskState.RUNNING)
    ).first()
    return _task(row, row.attempt, token) if row is not None and row.lease_token == token else None


def _attempted_task(token: bytes) -> Any:
    return select(task_attempt.c.task_id).where(task_attempt.c.token == token).scalar_subquery()


def _task(row: Row[Any], attempt: int, token: bytes) -> Task:
    return Task(
        id=row.id,
        job_id=row.job_id,
        job_key=row.job_key,
        media_id=row.media_id,
        account_id=row.account_id,
        kind=TaskKind(row.kind),
        spec=row.spec,
        attempt=attempt,
        token=token,
        cost=row.cost,
    )
