"""Second starts: the last slow chunks of a film are begun again on free hosts, and the first result wins.

The second start of a task is a task of its own, its twin: each knows the other by `twin_id`. So leases, fencing and
attempts hold for both as for any task. Whoever settles first takes the place of both in the transaction that settles it:
what waited for the first start waits for the winner, and the other one is called off. Its worker hears so at its next beat;
should it try to settle before, it changes no row.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from statistics import median
from typing import Any

import structlog
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import task, task_attempt, task_edge, worker
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.straggler import Runner, deserves_second_start
from omkt_pipeline.domain.task import Pool, Task, TaskKind, TaskState
from omkt_pipeline.queue.claim import has_ready
from omkt_pipeline.queue.workers import UP

log = structlog.get_logger(__name__)

_IDLE = (TaskState.WAITING, TaskState.DELAYED, TaskState.READY)
_LOOKED_AT = 200


def start_again(database: Database, pool: Pool) -> int:
    """Give stragglers a twin, as far as hosts are free for them; return how many. Any worker may, several at once too."""
    if has_ready(database, pool):
        return 0
    running = database.fetch(lambda connection: connection.execute(running_chunks(pool)).all())
    late = [row for row in running if _is_late(database, row)]
    if not late:
        return 0
    free = _free_slots(database, pool)
    begun = 0
    for row in late:
        elsewhere = [host for host in free.elements() if host != row.host]
        chosen = next(iter(elsewhere), None) or next(free.elements(), None)
        if chosen is None:
            break
        avoided = row.host if elsewhere else None
        if database.transact(partial(_add_twin, seen=row, avoided=avoided)):
            log.info("a slow chunk is begun a second time", event_code="second_start", task=row.id, first=row.host)
            free[chosen] -= 1
            begun += 1
    return begun


def running_chunks(pool: Pool) -> Select[Any]:
    """The statement that finds what is being encoded and has no twin yet."""
    return (
        select(
            task.c.id,
            task.c.job_id,
            task.c.attempt,
            task.c.cost,
            task.c.progress,
            task.c.spec,
            task_attempt.c.host,
            task_attempt.c.started_at,
            now().label("clock"),
        )
        .with_hint(task, "FORCE INDEX (k_lease)", "mysql")
        .with_hint(task, "FORCE INDEX (k_lease)", "mariadb")
        .join(task_attempt, (task_attempt.c.task_id == task.c.id) & (task_attempt.c.attempt == task.c.attempt))
        .where(
            task.c.state == TaskState.RUNNING,
            task.c.pool == pool,
            task.c.kind == TaskKind.ENCODE,
            task.c.twin_id.is_(None),
            task.c.cancel_requested.is_(False),
        )
        .order_by(task.c.lease_until, task.c.id)
        .limit(_LOOKED_AT)
    )


def _is_late(database: Database, row: Row[Any]) -> bool:
    if not row.spec.get("chunk"):
        return False
    runner = Runner(elapsed=(row.clock - row.started_at).total_seconds(), progress=row.progress, cost=row.cost)
    return deserves_second_start(runner, _pace(database, row.job_id))


def _pace(database: Database, job_id: int) -> float | None:
    """Seconds for a unit of cost that the finished chunks of a job took, in the middle."""
    question = (
        select(task.c.cost, task.c.spec, task_attempt.c.started_at, task_attempt.c.ended_at)
        .join(
            task_attempt, (task_attempt.c.task_id == task.c.id) & (task_attempt.c.attempt == task.c.published_attempt)
        )
        .where(task.c.job_id == job_id, task.c.kind == TaskKind.ENCODE, task.c.state == TaskState.DONE)
    )
    rows = database.fetch(lambda connection: connection.execute(question).all())
    paces = [
        (row.ended_at - row.started_at).total_seconds() / row.cost
        for row in rows
        if row.spec.get("chunk") and row.cost > 0
    ]
    return median(paces) if paces else None


def _free_slots(database: Database, pool: Pool) -> Counter[str]:
    """Slots without a task, by host."""
    with database.read() as connection:
        up = connection.execute(
            select(worker.c.id, worker.c.host, worker.c.slots).where(worker.c.state == UP, worker.c.pool == pool)
        ).all()
        busy = connection.execute(
            select(task.c.worker_id, func.count().label("tasks"))
            .where(task.c.state == TaskState.RUNNING, task.c.pool == pool)
            .group_by(task.c.worker_id)
        ).all()
    held = {row.worker_id: row.tasks for row in busy}
    free: Counter[str] = Counter()
    for row in up:
        free[row.host] += max(0, row.slots - held.get(row.id, 0))
    return free


def _add_twin(connection: Connection, seen: Row[Any], avoided: str | None) -> bool:
    first = connection.execute(
        select(task)
        .where(
            task.c.id == seen.id,
            task.c.state == TaskState.RUNNING,
            task.c.attempt == seen.attempt,
            task.c.twin_id.is_(None),
            task.c.cancel_requested.is_(False),
        )
        .with_for_update()
    ).first()
    if first is None:
        return False
    repeated = (
        "job_id", "job_key", "media_id", "account_id", "kind", "plan_key", "output_key", "pool", "spec", "spec_version",
        "band", "fair_key", "cost",
    )  # fmt: skip
    result = connection.execute(
        insert(task).values(
            **{name: getattr(first, name) for name in repeated},
            state=TaskState.READY,
            run_at=now(),
            created_at=now(),
            attempt=0,
            failures=0,
            losses=0,
            progress=0.0,
            cancel_requested=False,
            avoid_host=avoided,
            twin_id=first.id,
        )
    )
    assert result.inserted_primary_key is not None  # noqa: S101 - one row, one key
    connection.execute(update(task).where(task.c.id == first.id).values(twin_id=result.inserted_primary_key[0]))
    return True


def outrun_twin(connection: Connection, held: Task) -> None:
    """A task was settled: call its twin off, and let it stand for both."""
    twin_id = connection.execute(select(task.c.twin_id).where(task.c.id == held.id)).scalar()
    if twin_id is None:
        return
    state = connection.execute(select(task.c.state).where(task.c.id == twin_id).with_for_update()).scalar()
    if state == TaskState.RUNNING:
        connection.execute(update(task).where(task.c.id == twin_id).values(cancel_requested=True))
    elif state in _IDLE:
        connection.execute(
            update(task)
            .where(task.c.id == twin_id, task.c.state.in_(_IDLE))
            .values(state=TaskState.CANCELLED, reason="outrun", finished_at=now())
        )
    waiting: Sequence[int] = (
        connection.execute(select(task_edge.c.task_id).where(task_edge.c.needs_id == twin_id)).scalars().all()
    )
    if waiting:
        # Insert and delete: a worker's database user may do no more to edges.
        connection.execute(insert(task_edge), [{"task_id": one, "needs_id": held.id} for one in waiting])
        connection.execute(delete(task_edge).where(task_edge.c.needs_id == twin_id, task_edge.c.task_id.in_(waiting)))


def twin_goes_on(connection: Connection, task_id: int) -> bool:
    """Whether the task has a twin that may still do the work of both. Locks the twin."""
    twin_id = connection.execute(select(task.c.twin_id).where(task.c.id == task_id)).scalar()
    if twin_id is None:
        return False
    state = connection.execute(select(task.c.state).where(task.c.id == twin_id).with_for_update()).scalar()
    return state is not None and not TaskState(state).is_terminal
