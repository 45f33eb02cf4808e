"""Add the tasks of a plan to a job: rows, their dependencies and their turn among all accounts."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert

from omkt_pipeline.db.tables import task, task_edge
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.plan import PlannedTask
from omkt_pipeline.domain.task import Pool, TaskState
from omkt_pipeline.queue import fair
from omkt_pipeline.queue.fair import Turns, advance


@dataclass(frozen=True, kw_only=True)
class JobRef:
    """What a task's row repeats of its job."""

    id: int
    key: str
    media_id: int
    account_id: int
    band: int


# Built once, for the hot path.
_INSERT = insert(task).values(run_at=now(), created_at=now(), attempt=0, failures=0, losses=0, progress=0.0)
_INSERT_EDGES = insert(task_edge)


def add_tasks(
    connection: Connection,
    job: JobRef,
    planned: Sequence[PlannedTask],
    *,
    taken: Mapping[Pool, Turns] | None = None,
    held: Collection[str] = (),
    not_before: datetime | None = None,
) -> None:
    """Insert the tasks, ready or waiting for each other. A task may need only tasks that stand before it.

    Those in `held` wait for something that is no task: an upload that is not whole. What would be ready is delayed until
    `not_before`.

    Ends by moving the account's clock on, which locks it: call it last. Not for turns that were `taken` before: their
    taker does that.
    """
    turns = take_turns(connection, job.account_id, job.band, planned) if taken is None else taken
    keys = {pool: iter(turn.keys) for pool, turn in turns.items()}
    ids: dict[str, int] = {}
    for one in planned:
        free = TaskState.READY if not_before is None else TaskState.DELAYED
        result = connection.execute(
            _INSERT if not_before is None else _INSERT.values(run_at=not_before),
            {
                "job_id": job.id,
                "job_key": job.key,
                "media_id": job.media_id,
                "account_id": job.account_id,
                "kind": one.kind.value,
                "spec_version": max(one.kind.spec_version, one.spec_version),
                "plan_key": one.key,
                "output_key": one.output,
                "pool": int(one.kind.pool),
                "spec": one.spec,
                "state": int(TaskState.WAITING if one.needs or one.key in held else free),
                "band": job.band,
                "fair_key": next(keys[one.kind.pool]),
                "cost": one.cost,
                "cancel_requested": False,
            },
        )
        assert result.inserted_primary_key is not None  # noqa: S101 - one row, one key
        ids[one.key] = result.inserted_primary_key[0]
    edges = [{"task_id": ids[one.key], "needs_id": ids[need]} for one in planned for need in one.needs]
    if edges:
        connection.execute(_INSERT_EDGES, edges)
    if taken is None:
        for pool in sorted(turns):
            advance(connection, turns[pool])


def take_turns(connection: Connection, account_id: int, band: int, planned: Sequence[PlannedTask]) -> dict[Pool, Turns]:
    """The turns of new tasks among all accounts'. Locks nothing."""
    costs: dict[Pool, list[float]] = defaultdict(list)
    for one in planned:
        costs[one.kind.pool].append(one.cost)
    return {pool: fair.turns(connection, account_id, pool, band, costs[pool]) for pool in sorted(costs)}
