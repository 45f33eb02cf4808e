"""What may lie on the share: the rows' answer to names that were found there. Everything else is a stray.

Attempts that were killed, and those that wrote after their job had ended, leave files which no row leads to.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job, media, output
from omkt_pipeline.domain.job import MediaState, OutputState


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the rows say of some keys. A key that is in neither has no claim to any file."""

    whole: frozenset[str]  #: work on them goes on, or may; nothing of theirs is a stray
    folders: dict[str, tuple[str, ...]]  #: ended jobs, with the result folders that are promised


def wanted_media(database: Database, keys: Collection[str]) -> frozenset[str]:
    """The media among these keys whose originals are there or to come."""
    question = select(media.c.media_key).where(media.c.media_key.in_(keys), media.c.state != MediaState.EXPIRED)
    return frozenset(database.fetch(lambda connection: connection.execute(question).scalars().all()))


def wanted_jobs(database: Database, keys: Collection[str]) -> Wanted:
    """What the jobs among these keys need on the share."""

    def look(connection: Connection) -> Wanted:
        rows = connection.execute(select(job.c.id, job.c.job_key, job.c.swept).where(job.c.job_key.in_(keys))).all()
        promised = connection.execute(
            select(output.c.job_id, output.c.folder).where(
                output.c.job_id.in_([row.id for row in rows if row.swept]), output.c.state == OutputState.PUBLISHED
            )
        ).all()
        return Wanted(
            whole=frozenset(row.job_key for row in rows if not row.swept),
            folders={
                row.job_key: tuple(one.folder for one in promised if one.job_id == row.id) for row in rows if row.swept
            },
        )

    return database.fetch(look)
