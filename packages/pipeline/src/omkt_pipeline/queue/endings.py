"""How a job ends: each ending is a guarded update, and tells the client by a row in the outbox."""

from sqlalchemy import Connection, select, update

from omkt_pipeline.db.tables import job, output, task
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.job import JobState, OutputState
from omkt_pipeline.domain.task import TaskState
from omkt_pipeline.queue.outbox import announce

OPEN_JOB = (JobState.QUEUED, JobState.RUNNING)
_OPEN_TASK = (TaskState.WAITING, TaskState.DELAYED, TaskState.READY)


def succeed_job(connection: Connection, job_id: int) -> None:
    """running -> succeeded."""
    matched = connection.execute(
        update(job)
        .where(job.c.id == job_id, job.c.state == JobState.RUNNING)
        .values(state=JobState.SUCCEEDED, finished_at=now())
    ).rowcount
    if matched:
        announce(connection, job_id, "job.succeeded")


def fail_job(connection: Connection, job_id: int, *, code: str, message: str) -> None:
    """open -> failed: what has not begun is called off, what runs is told to stop, what is published stays."""
    call_off_tasks(connection, job_id)
    matched = connection.execute(
        update(job)
        .where(job.c.id == job_id, job.c.state.in_(OPEN_JOB))
        .values(state=JobState.FAILED, error_code=code, error_message=message, finished_at=now())
    ).rowcount
    if matched:
        _fail_outputs(connection, job_id)
        announce(connection, job_id, "job.failed")


def cancel_job(connection: Connection, job_id: int) -> bool:
    """open -> cancelled. Return False when the job had already ended."""
    call_off_tasks(connection, job_id)
    matched = connection.execute(
        update(job)
        .where(job.c.id == job_id, job.c.state.in_(OPEN_JOB))
        .values(state=JobState.CANCELLED, finished_at=now())
    ).rowcount
    if not matched:
        return False
    # A plan may have been settled between the two statements above; its tasks are new and nobody's yet.
    call_off_tasks(connection, job_id)
    _fail_outputs(connection, job_id)
    announce(connection, job_id, "job.cancelled")
    return True


def call_off_tasks(connection: Connection, job_id: int) -> None:
    """Cancel the tasks that nobody works on; ask the workers of the others to stop. Locks in order of id."""
    rows = connection.execute(
        select(task.c.id, task.c.state)
        .where(task.c.job_id == job_id, task.c.state < TaskState.DONE)
        .order_by(task.c.id)
        .with_for_update()
    ).all()
    idle = [row.id for row in rows if row.state in _OPEN_TASK]
    running = [row.id for row in rows if row.state == TaskState.RUNNING]
    if idle:
        connection.execute(
            update(task)
            .where(task.c.id.in_(idle), task.c.state.in_(_OPEN_TASK))
            .values(state=TaskState.CANCELLED, reason="cancelled", finished_at=now())
        )
    if running:
        connection.execute(
            update(task).where(task.c.id.in_(running), task.c.state == TaskState.RUNNING).values(cancel_requested=True)
        )


def _fail_outputs(connection: Connection, job_id: int) -> None:
    connection.execute(
        update(output)
        .where(output.c.job_id == job_id, output.c.state == OutputState.PENDING)
        .values(state=OutputState.FAILED)
    )
