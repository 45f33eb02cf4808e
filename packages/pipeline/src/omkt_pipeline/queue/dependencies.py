"""A task becomes ready when its last prerequisite is settled, in the transaction that settles it."""

from sqlalchemy import Connection, select, update

from omkt_pipeline.db.tables import media, task, task_edge
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.job import MediaState, SourceKind
from omkt_pipeline.domain.task import TaskKind, TaskState


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
    rows = connection.execute(
        select(task.c.id, task.c.kind)
        .where(task.c.id.in_(task_ids), task.c.state == TaskState.WAITING)
        .order_by(task.c.id)
        .with_for_update()
    ).all()
    if not rows:
        return 0
    waiting = [row.id for row in rows]
    blocked = set(
        connection.execute(
            select(task_edge.c.task_id)
            .join(task, task.c.id == task_edge.c.needs_id)
            .where(task_edge.c.task_id.in_(waiting), task.c.state != TaskState.DONE)
        ).scalars()
    )
    if probes := [row.id for row in rows if row.kind == TaskKind.PROBE]:
        blocked |= _awaiting_upload(connection, probes)
    free = [child for child in waiting if child not in blocked]
    if free:
        connection.execute(
            update(task)
            .where(task.c.id.in_(free), task.c.state == TaskState.WAITING)
            .values(state=TaskState.READY, run_at=now())
        )
    return len(free)


def _awaiting_upload(connection: Connection, probes: list[int]) -> set[int]:
    """Those whose original is still being sent; `complete_upload` releases them. Its end comes before or after, not between."""
    return set(
        connection.execute(
            select(task.c.id)
            .join(media, media.c.id == task.c.media_id)
            .where(
                task.c.id.in_(probes),
                media.c.state == MediaState.EXPECTED,
                media.c.source_kind == SourceKind.UPLOAD,
            )
            .with_for_update(of=media)
        ).scalars()
    )
