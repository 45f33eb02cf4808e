"""Results of done tasks that are not on the share any more: they are made again, for the task that needs them.

So it is after a backup was restored: the database knows of results that were cleared away when their job had ended, in the
time that is forgotten. What else empties the folder of a job that still runs is cured in the same way.
"""

from collections.abc import Collection

from sqlalchemy import Connection, delete, select, update

from omkt_pipeline.db.tables import artifact, task, task_attempt, task_edge
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.task import AttemptOutcome, Task, TaskState

#: What the attempt says whose result was there once.
RESULT_LOST = "result_lost"


def redo(connection: Connection, held: Task, lost: Collection[str]) -> None:
    """done -> ready for those prerequisites of a held task whose results are lost (`lost`: their names in the plan).

    A prerequisite that another task has sent back already stays as it is. Their order is that of their numbers: of two
    tasks that miss the same, the second waits for the first.
    """
    rows = connection.execute(
        select(task.c.id, task.c.published_attempt)
        .join(task_edge, task_edge.c.needs_id == task.c.id)
        .where(task_edge.c.task_id == held.id, task.c.state == TaskState.DONE, task.c.plan_key.in_(lost))
        .order_by(task.c.id)
        .with_for_update(of=task)
    ).all()
    again = [row.id for row in rows]
    connection.execute(delete(artifact).where(artifact.c.task_id.in_(again)))
    for row in rows:
        connection.execute(
            update(task_attempt)
            .where(task_attempt.c.task_id == row.id, task_attempt.c.attempt == row.published_attempt)
            .values(outcome=AttemptOutcome.LOST, error_code=RESULT_LOST)
        )
    fresh = {"published_attempt": None, "folder": None, "facts": None, "progress": 0.0, "finished_at": None}
    connection.execute(
        update(task)
        .where(task.c.id.in_(again))
        .values(state=TaskState.READY, run_at=now(), reason=RESULT_LOST, **fresh)
    )
