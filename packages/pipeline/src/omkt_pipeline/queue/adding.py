"""More outputs for a job that is there already."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job, media, task, task_edge
from omkt_pipeline.domain.errors import Conflict, NotFound
from omkt_pipeline.domain.job import JobState, MediaState, Variation
from omkt_pipeline.domain.plan import PlannedTask
from omkt_pipeline.domain.task import TaskKind, TaskState
from omkt_pipeline.queue.enqueue import JobRef, add_tasks
from omkt_pipeline.queue.wanted import KNOWS_PRESETS, name_of, stored

_MAY_GROW = (JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED)
#: Outputs of one job, those that it was submitted with among them.
MAX_OUTPUTS = 64


def add_outputs(database: Database, account_id: int, job_key: str, wanted: Sequence[str | Variation]) -> None:
    """Let an open or succeeded job make more of its source; a succeeded one runs again.

    Raises NotFound; Conflict (job_ended when it failed, was cancelled or has expired; output_exists; outputs_too_many;
    source_expired when the original is gone).
    """
    added = stored(wanted)

    def write(connection: Connection) -> bool:
        job_id, media_id = _found(connection, account_id, job_key)
        # In the order in which others lock: the source, then tasks, then the job.
        source = connection.execute(select(media.c.state).where(media.c.id == media_id).with_for_update()).scalar_one()
        plan = _own_plan(connection, job_id)
        row = connection.execute(select(job).where(job.c.id == job_id).with_for_update()).one()
        if row.state not in _MAY_GROW:
            raise Conflict("Only a job that is open or succeeded can be given more outputs.", code="job_ended")
        grown = [*(row.added or []), *added]
        _demand_new([*row.presets, *(row.added or [])], added)
        if source == MediaState.EXPIRED:
            raise Conflict("The original is not here any more. Submit its source again.", code="source_expired")
        opened: dict[str, Any] = {}
        if row.state == JobState.SUCCEEDED:
            opened = {"state": JobState.RUNNING, "finished_at": None, "swept": False, "deadline": None}
        connection.execute(update(job).where(job.c.id == job_id).values(added=grown, **opened))
        _plan(connection, row, plan, key=f"plan-{len(grown)}", added=added)
        return True

    def landed(connection: Connection) -> bool | None:
        there = connection.execute(select(job.c.added).where(job.c.job_key == job_key)).scalar() or []
        return True if all(one in there for one in added) else None

    database.transact(write, landed=landed)


def _demand_new(known: Sequence[object], added: Sequence[object]) -> None:
    names = {name_of(one) for one in known}
    if taken := sorted(names & {name_of(one) for one in added}):
        raise Conflict(
            f"The job has an output {', '.join(taken)} already. Give the new one another id.", code="output_exists"
        )
    if len(known) + len(added) > MAX_OUTPUTS:
        raise Conflict(f"A job may have {MAX_OUTPUTS} outputs. Submit another one.", code="outputs_too_many")


def _found(connection: Connection, account_id: int, job_key: str) -> tuple[int, int]:
    """Job and media by the job's key."""
    mine = select(job.c.id, job.c.media_id).where(job.c.job_key == job_key, job.c.account_id == account_id)
    row = connection.execute(mine).first()
    if row is None:
        raise NotFound(f"There is no job {job_key}.", code="job_unknown")
    return row.id, row.media_id


def _own_plan(connection: Connection, job_id: int) -> Any:
    """The plan task that the job was submitted with, locked."""
    first = select(task.c.id, task.c.state).where(task.c.job_id == job_id, task.c.kind == TaskKind.PLAN)
    return connection.execute(first.order_by(task.c.id).limit(1).with_for_update()).one()


def _plan(connection: Connection, row: Any, first: Any, *, key: str, added: Sequence[object]) -> None:
    """A plan task for what is added; it waits for the job's own, and so for all that this waits for."""
    planned = PlannedTask(key=key, kind=TaskKind.PLAN, spec={"presets": added}, spec_version=KNOWS_PRESETS)
    reference = JobRef(id=row.id, key=row.job_key, media_id=row.media_id, account_id=row.account_id, band=row.band)
    waits = first.state != TaskState.DONE
    add_tasks(connection, reference, [planned], held=(key,) if waits else ())
    if waits:
        mine = select(task.c.id).where(task.c.job_id == row.id, task.c.plan_key == key)
        edge = {"task_id": connection.execute(mine).scalar_one(), "needs_id": first.id}
        connection.execute(insert(task_edge).values(edge))
