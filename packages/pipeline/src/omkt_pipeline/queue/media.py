"""The media of an account: list them, look at one, let one go."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, select, true, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job, media, output
from omkt_pipeline.domain.errors import Conflict, NotFound, Refused
from omkt_pipeline.domain.job import JobState, MediaState, OutputState, Source, SourceKind
from omkt_pipeline.queue.endings import OPEN_JOB


@dataclass(frozen=True, kw_only=True)
class MediaView:
    """A media as its client sees it."""

    key: str
    state: MediaState
    source: Source
    name: str | None
    path: str | None  #: of the original, below the share's root; not for clients
    bytes: int | None
    sha256: str | None
    facts: Mapping[str, Any] | None
    raw_probe: Mapping[str, Any] | None
    keep_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class MediaPage:
    """Media, newest first; `next_before` is the key before which the following page begins."""

    media: list[MediaView]
    next_before: str | None


def media_by_key(database: Database, account_id: int, key: str) -> MediaView:
    """One media. Raises NotFound, for other accounts' media too."""
    question = select(media).where(media.c.account_id == account_id, media.c.media_key == key)
    row = database.fetch(lambda connection: connection.execute(question).first())
    if row is None:
        raise _unknown()
    return _view(row)


def media_page(
    database: Database, account_id: int, *, limit: int, before: str | None = None, sha256: str | None = None
) -> MediaPage:
    """A page of an account's media, newest first; with `sha256` those of this content.

    Raises Refused (cursor_invalid) when `before` is none of them.
    """
    mine = media.c.account_id == account_id, *([media.c.sha256 == sha256] if sha256 else [])

    def look(connection: Connection) -> MediaPage:
        older: Any = true()
        if before is not None:
            known = select(media.c.id).where(media.c.account_id == account_id, media.c.media_key == before)
            position = connection.execute(known).scalar()
            if position is None:
                raise Refused(
                    "This cursor belongs to no page of yours. Begin again without one.", code="cursor_invalid"
                )
            older = media.c.id < position
        rows = connection.execute(select(media).where(*mine, older).order_by(media.c.id.desc()).limit(limit + 1)).all()
        shown = [_view(row) for row in rows[:limit]]
        return MediaPage(media=shown, next_before=shown[-1].key if len(rows) > limit else None)

    return database.fetch(look)


def equal_original(database: Database, account_id: int, *, sha256: str, size: int) -> str | None:
    """Where another original of the account with this content lies on the share, if one does.

    Not of those that the operator put there: they may change.
    """
    equal = (
        select(media.c.path)
        .where(media.c.account_id == account_id, media.c.sha256 == sha256, media.c.bytes == size)
        .where(media.c.state.in_((MediaState.STORED, MediaState.PROBED)), media.c.source_kind != SourceKind.PATH)
        .order_by(media.c.id.desc())
        .limit(1)
    )
    return database.fetch(lambda connection: connection.execute(equal).scalar())


def keep_media(database: Database, account_id: int, key: str, until: datetime | None) -> None:
    """Keep an original until a moment, and no longer; with None for as long as the farm's rule says.

    Raises NotFound when there is no such media, or no more.
    """

    def write(connection: Connection) -> None:
        mine = media.c.account_id == account_id, media.c.media_key == key, media.c.state != MediaState.EXPIRED
        if connection.execute(select(media.c.id).where(*mine).with_for_update()).first() is None:
            raise _unknown()
        connection.execute(update(media).where(*mine).values(keep_until=until))

    database.transact(write)


def delete_media(database: Database, account_id: int, key: str) -> None:
    """Let a media go, with the results of its jobs. Rows change now, files go after. Deleting it again is no error.

    Raises NotFound, Conflict (media_in_use) while a job of it is open. What the operator put on the share stays there.
    """

    def write(connection: Connection) -> None:
        row = connection.execute(
            select(media.c.id, media.c.state, media.c.source_kind)
            .where(media.c.account_id == account_id, media.c.media_key == key)
            .with_for_update()
        ).first()
        if row is None:
            raise _unknown()
        of_media = select(job.c.id).where(job.c.media_id == row.id)
        if connection.execute(select(exists(of_media.where(job.c.state.in_(OPEN_JOB))))).scalar():
            raise Conflict("A job still works on this media. Cancel it first.", code="media_in_use")
        if row.state == MediaState.EXPECTED and row.source_kind == SourceKind.UPLOAD:
            raise Conflict("This media is still being uploaded. Give the upload up instead.", code="media_in_use")
        ended = sorted(connection.execute(of_media).scalars())
        if ended:
            connection.execute(
                update(job)
                .where(job.c.id.in_(ended), job.c.state != JobState.EXPIRED)
                .values(state=JobState.EXPIRED, swept=False)
            )
            connection.execute(update(output).where(output.c.job_id.in_(ended)).values(state=OutputState.EXPIRED))
        values: dict[str, Any] = {"state": MediaState.EXPIRED}
        if row.source_kind == SourceKind.PATH:
            values["path"] = None
        connection.execute(update(media).where(media.c.id == row.id).values(values))

    database.transact(write)


def _view(row: Any) -> MediaView:
    return MediaView(
        key=row.media_key,
        state=MediaState(row.state),
        source=Source(kind=SourceKind(row.source_kind), value=row.source),
        name=row.name,
        path=row.path,
        bytes=row.bytes,
        sha256=row.sha256,
        facts=row.facts,
        raw_probe=row.raw_probe,
        keep_until=row.keep_until,
        created_at=row.created_at,
    )


def _unknown() -> NotFound:
    return NotFound("There is no such media.", code="media_unknown")


def forget_facts(database: Database, account_id: int, key: str) -> None:
    """Let a media be probed by the next job. Raises NotFound, Conflict (media_in_use, media_not_ready)."""

    def write(connection: Connection) -> None:
        row = connection.execute(
            select(media.c.id, media.c.state)
            .where(media.c.account_id == account_id, media.c.media_key == key)
            .with_for_update()
        ).first()
        if row is None or row.state == MediaState.EXPIRED:
            raise _unknown()
        busy = select(job.c.id).where(job.c.media_id == row.id, job.c.state.in_(OPEN_JOB)).limit(1)
        if connection.execute(busy).first() is not None:
            raise Conflict("A job of this media is open. Wait for it, or cancel it.", code="media_in_use")
        if row.state == MediaState.EXPECTED:
            raise Conflict("This media has not arrived yet.", code="media_not_ready")
        connection.execute(update(media).where(media.c.id == row.id).values(state=MediaState.STORED))

    database.transact(write)
