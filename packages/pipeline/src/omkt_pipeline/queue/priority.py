"""Give a job another priority: its open tasks move to another part of the claim index, running ones are left alone."""

from sqlalchemy import Connection, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job, task
from omkt_pipeline.domain.errors import Conflict, NotFound
from omkt_pipeline.domain.job import Priority
from omkt_pipeline.domain.task import TaskState
from omkt_pipeline.queue.endings import OPEN_JOB

_OPEN_TASK = (TaskState.WAITING, TaskState.DELAYED, TaskState.READY)


def prioritise(database: Database, account_id: int, job_key: str, priority: Priority) -> None:
    """Move an open job into another class. Raises NotFound, Conflict (job_ended)."""

    def write(connection: Connection) -> None:
        mine = (job.c.job_key == job_key, job.c.account_id == account_id)
        row = connection.execute(select(job.c.id).where(*mine)).first()
        if row is None:
            raise NotFound(f"There is no job {job_key}.", code="job_unknown")
        # Tasks before the job, in order of id, as everything that ends a job locks them.
        open_tasks = connection.execute(
            select(task.c.id)
            .where(task.c.job_id == row.id, task.c.state.in_(_OPEN_TASK))
            .order_by(task.c.id)
            .with_for_update()
        ).scalars()
        connection.execute(
            update(task).where(task.c.id.in_(list(open_tasks)), task.c.state.in_(_OPEN_TASK)).values(band=priority.band)
        )
        matched = connection.execute(
            update(job).where(job.c.id == row.id, job.c.state.in_(OPEN_JOB)).values(band=priority.band)
        ).rowcount
        if not matched:
            raise Conflict("The job has already ended.", code="job_ended")

    database.transact(write)
