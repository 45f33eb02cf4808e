"""Deadlines: a job that has not ended by its time is given up."""

from sqlalchemy import Connection, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job
from omkt_pipeline.db.types import now
from omkt_pipeline.queue.endings import OPEN_JOB, fail_job

_BATCH = 50


def enforce_deadlines(database: Database) -> int:
    """open -> failed (deadline_passed) for jobs whose time is over; return how many."""

    def write(connection: Connection) -> int:
        late = [
            job_id
            for state in OPEN_JOB
            for job_id in connection.execute(
                select(job.c.id)
                .where(job.c.state == state, job.c.deadline < now())
                .order_by(job.c.deadline)
                .limit(_BATCH)
            ).scalars()
        ]
        for job_id in sorted(late):
            fail_job(connection, job_id, code="deadline_passed", message="The job had not ended by its deadline.")
        return len(late)

    return database.transact(write)
