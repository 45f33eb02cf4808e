"""Retention: which files may go. A row says that something is gone before it goes, and says when it is done with.

Crashed half-way, the same work is found again and repeated, which is harmless.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Select, delete, exists, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import idempotency, job, media, output, task
from omkt_pipeline.db.types import now, now_plus
from omkt_pipeline.domain.job import JobState, MediaState, OutputState, SourceKind
from omkt_pipeline.domain.task import TaskState
from omkt_pipeline.queue.endings import OPEN_JOB

_BATCH = 50
_KEY_SECONDS = 2 * 86400.0


@dataclass(frozen=True, kw_only=True)
class Sweepable:
    """An ended job with files to remove: all but `kept`, the result folders that are still promised."""

    id: int
    job_key: str
    kept: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Removable:
    """An original that nobody needs any more."""

    id: int
    media_key: str


def expire_jobs(database: Database, *, state: JobState, after_seconds: float) -> int:
    """succeeded, failed or cancelled -> expired for jobs that ended so long ago; return how many."""

    def write(connection: Connection) -> int:
        ids = list(
            connection.execute(
                select(job.c.id)
                .where(job.c.state == state, job.c.finished_at < now_plus(-after_seconds))
                .order_by(job.c.finished_at)
                .limit(_BATCH)
                .with_for_update(skip_locked=True)
            ).scalars()
        )
        if ids:
            connection.execute(
                update(job).where(job.c.id.in_(ids), job.c.state == state).values(state=JobState.EXPIRED, swept=False)
            )
            connection.execute(update(output).where(output.c.job_id.in_(ids)).values(state=OutputState.EXPIRED))
        return len(ids)

    return database.transact(write)


def sweepable(database: Database) -> list[Sweepable]:
    """Jobs that can be neither continued nor tried again, and still have files to remove."""
    busy = exists().where(task.c.job_id == job.c.id, task.c.state == TaskState.RUNNING)

    def ended(state: JobState) -> Select[tuple[int, str]]:
        return (
            select(job.c.id, job.c.job_key)
            .where(job.c.swept.is_(False), job.c.state == state, ~busy)
            .order_by(job.c.id)
            .limit(_BATCH)
        )

    def look(connection: Connection) -> list[Sweepable]:
        rows = [
            row for state in (JobState.SUCCEEDED, JobState.EXPIRED) for row in connection.execute(ended(state)).all()
        ]
        promised = connection.execute(
            select(output.c.job_id, output.c.folder).where(
                output.c.job_id.in_([row.id for row in rows]), output.c.state == OutputState.PUBLISHED
            )
        ).all()
        return [
            Sweepable(
                id=row.id, job_key=row.job_key, kept=tuple(one.folder for one in promised if one.job_id == row.id)
            )
            for row in rows
        ]

    return database.fetch(look)


def mark_swept(database: Database, swept: Sweepable) -> None:
    """The job's files are gone."""
    database.transact(
        lambda connection: connection.execute(update(job).where(job.c.id == swept.id).values(swept=True)).rowcount
    )


def expire_media(database: Database, *, after_seconds: float) -> list[Removable]:
    """Take originals that are old and that no job has needed for that long, and those whose owner's time for them is over.

    What the operator put there is not ours.
    """
    open_job = exists().where(job.c.media_id == media.c.id, job.c.state.in_(OPEN_JOB))
    lately = exists().where(job.c.media_id == media.c.id, job.c.finished_at > now_plus(-after_seconds))
    by_rule = (media.c.keep_until.is_(None), media.c.created_at < now_plus(-after_seconds), ~open_job, ~lately)
    by_word = (media.c.keep_until < now(), ~open_job)

    def write(connection: Connection) -> list[Removable]:
        taken: list[Removable] = []
        for state in (MediaState.STORED, MediaState.PROBED):
            for over, order in ((by_rule, media.c.created_at), (by_word, media.c.keep_until)):
                rows = connection.execute(
                    select(media.c.id, media.c.media_key)
                    .where(media.c.state == state, media.c.source_kind != SourceKind.PATH, *over)
                    .order_by(order)
                    .limit(_BATCH)
                    .with_for_update(skip_locked=True, of=media)
                ).all()
                taken += [Removable(id=row.id, media_key=row.media_key) for row in rows]
        if taken:
            connection.execute(
                update(media).where(media.c.id.in_([one.id for one in taken])).values(state=MediaState.EXPIRED)
            )
        return taken

    database.transact(write)
    return removable_media(database)


def removable_media(database: Database) -> list[Removable]:
    """Media that are no more, whose files may still lie on the share."""
    gone = select(media.c.id, media.c.media_key).where(media.c.state == MediaState.EXPIRED, media.c.path.is_not(None))
    rows = database.fetch(lambda connection: connection.execute(gone.limit(_BATCH)).all())
    return [Removable(id=row.id, media_key=row.media_key) for row in rows]


def mark_removed(database: Database, removed: Removable) -> None:
    """The original is gone."""
    database.transact(
        lambda connection: connection.execute(update(media).where(media.c.id == removed.id).values(path=None)).rowcount
    )


def forget_requests(database: Database) -> int:
    """Forget Idempotency-Keys after two days; the API promises one."""
    return database.transact(
        lambda connection: (
            connection.execute(delete(idempotency).where(idempotency.c.created_at < now_plus(-_KEY_SECONDS))).rowcount
        )
    )
