"""What the tests read straight from the tables, beside the queue's own views."""

from typing import Any

from sqlalchemy import Row, Table, func, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import artifact, job, media, outbox, output, task, task_attempt
from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.task import Task, TaskState


def task_row(database: Database, task_id: int) -> Row[Any]:
    return database.fetch(lambda connection: connection.execute(select(task).where(task.c.id == task_id)).one())


def task_state(database: Database, held: Task) -> TaskState:
    return TaskState(task_row(database, held.id).state)


def task_states(database: Database, job_key: str) -> dict[str, TaskState]:
    """State of each task of a job, by its name in the plan."""
    question = select(task.c.plan_key, task.c.state).where(task.c.job_key == job_key)
    rows = database.fetch(lambda connection: connection.execute(question).all())
    return {key: TaskState(state) for key, state in rows}


def outcomes(database: Database, held: Task) -> list[str | None]:
    """How the attempts of a task ended, in order."""
    question = select(task_attempt.c.outcome).where(task_attempt.c.task_id == held.id).order_by(task_attempt.c.attempt)
    return list(database.fetch(lambda connection: connection.execute(question).scalars().all()))


def job_state(database: Database, job_key: str) -> JobState:
    question = select(job.c.state).where(job.c.job_key == job_key)
    return JobState(database.fetch(lambda connection: connection.execute(question).scalar_one()))


def count(database: Database, table: Table) -> int:
    question = select(func.count()).select_from(table)
    return database.fetch(lambda connection: connection.execute(question).scalar_one())


def snapshot(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables that a worker's writes may touch."""

    def look(connection: Any) -> dict[str, list[tuple[Any, ...]]]:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in (task, task_attempt, artifact, job, output, outbox, media)
        }

    return database.fetch(look)
