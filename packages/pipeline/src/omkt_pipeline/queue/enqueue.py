"""Add the tasks of a plan to a job: rows, their dependencies and their turn among all accounts."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert

from omkt_pipeline.db.tables import task, task_edge
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.plan import PlannedTask
from omkt_pipeline.domain.task import Pool, TaskState
from omkt_pipeline.queue.fair import fair_keys


@dataclass(frozen=True, kw_only=True)
class JobRef:
    """What a task's row repeats of its job."""

    id: int
    key: str
    media_id: int
    account_id: int
    band: int


def add_tasks(connection: Connection, job: JobRef, planned: Sequence[PlannedTask]) -> None:
    """Insert the tasks, ready or waiting for each other. A task may need only tasks that stand before it."""
    turns = _turns(connection, job, planned)
    ids: dict[str, int] = {}
    for one in planned:
        result = connection.execute(
            insert(task).values(
                job_id=job.id,
                job_key=job.key,
                media_id=job.media_id,
                account_id=job.account_id,
                kind=one.kind,
                plan_key=one.key,
                output_key=one.output,
                pool=one.kind.pool,
                spec=one.spec,
                state=TaskState.WAITING if one.needs else TaskState.READY,
                band=job.band,
                fair_key=turns[one.key],
                cost=one.cost,
                run_at=now(),
                attempt=0,
                failures=0,
                losses=0,
                progress=0.0,
                cancel_requested=False,
                created_at=now(),
            )
        )
        assert result.inserted_primary_key is not None  # noqa: S101 - one row, one key
        ids[one.key] = result.inserted_primary_key[0]
    edges = [{"task_id": ids[one.key], "needs_id": ids[need]} for one in planned for need in one.needs]
    if edges:
        connection.execute(insert(task_edge), edges)


def _turns(connection: Connection, job: JobRef, planned: Sequence[PlannedTask]) -> dict[str, float]:
    by_pool: dict[Pool, list[PlannedTask]] = defaultdict(list)
    for one in planned:
        by_pool[one.kind.pool].append(one)
    turns: dict[str, float] = {}
    for pool in sorted(by_pool):
        members = by_pool[pool]
        keys = fair_keys(connection, job.account_id, pool, job.band, [one.cost for one in members])
        turns.update(zip((one.key for one in members), keys, strict=True))
    return turns
