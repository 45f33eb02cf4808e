"""A task becomes ready when its last prerequisite is settled, in the transaction that settles it."""

from sqlalchemy import Connection, select, update

from omkt_pipeline.db.tables import task, task_edge
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.task import TaskState


def release_dependents(connection: Connection, settled_id: int) -> None:
    """Make ready what waited for this task and waits for nothing else.

    The waiting rows are locked before their prerequisites are read: of two prerequisites that settle at once, the
    second waits for the first and then sees it done.
    """
    candidates = select(task_edge.c.task_id).where(task_edge.c.needs_id == settled_id)
    children = sorted(connection.execute(candidates).scalars())
    if children:
        release_if_free(connection, children)


def release_if_free(connection: Connection, task_ids: list[int]) -> int:
    """waiting -> ready for those of the tasks whose prerequisites are all done; return how many."""
    waiting = list(
        connection.execute(
            select(task.c.id)
            .where(task.c.id.in_(task_ids), task.c.state == TaskState.WAITING)
            .order_by(task.c.id)
            .with_for_update()
        ).scalars()
    )
    if not waiting:
        return 0
    blocked = set(
        connection.execute(
            select(task_edge.c.task_id)
            .join(task, task.c.id == task_edge.c.needs_id)
            .where(task_edge.c.task_id.in_(waiting), task.c.state != TaskState.DONE)
        ).scalars()
    )
    free = [child for child in waiting if child not in blocked]
    if free:
        connection.execute(
            update(task)
            .where(task.c.id.in_(free), task.c.state == TaskState.WAITING)
            .values(state=TaskState.READY, run_at=now())
        )
    return len(free)
