"""The media of a new job: one that is known already, or one that is entered with the job."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from omkt_pipeline.db.tables import media
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.errors import Conflict, NotFound
from omkt_pipeline.domain.job import MediaState, Source, SourceKind
from omkt_pipeline.domain.keys import new_key


@dataclass(frozen=True, kw_only=True)
class NewMedia:
    """What is known of a source when it is submitted. Without a path it must be fetched first."""

    name: str | None = None
    path: str | None = None
    bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class JobMedia:
    """What a job is to be made of."""

    id: int
    key: str
    state: MediaState
    source: Source  #: where it came from first
    name: str | None
    bytes: int | None
    facts: Mapping[str, Any] | None
    minutes: float = 0.0  #: of what must be laid together first


# Built once: a statement of so many columns costs more to build than to send.
_INSERT = insert(media).values(created_at=now())
_KNOWN = select(
    media.c.id,
    media.c.media_key,
    media.c.state,
    media.c.source_kind,
    media.c.source,
    media.c.name,
    media.c.bytes,
    media.c.facts,
)


def media_of(connection: Connection, account_id: int, source: Source, found: NewMedia) -> JobMedia:
    """The media that a source is, entered if it is none yet. Raises NotFound (upload_unknown, media_unknown) and Conflict
    (media_not_ready)."""
    if source.kind in (SourceKind.UPLOAD, SourceKind.MEDIA):
        return _known(connection, account_id, source)
    key = new_key()
    minutes = 0.0
    if source.kind is SourceKind.CONCAT:
        minutes = sum(_minutes_of(connection, account_id, part) for part in source.value.split(","))
    return JobMedia(
        id=insert_media(connection, account_id, key, source, found),
        key=key,
        state=MediaState.STORED if found.path else MediaState.EXPECTED,
        source=source,
        name=found.name,
        bytes=found.bytes,
        facts=None,
        minutes=minutes,
    )


def insert_media(connection: Connection, account_id: int, key: str, source: Source, found: NewMedia) -> int:
    """Enter a media; return its number."""
    result = connection.execute(
        _INSERT,
        {
            "media_key": key,
            "account_id": account_id,
            "source_kind": source.kind,
            "source": source.value,
            "name": found.name,
            "path": found.path,
            "bytes": found.bytes,
            "sha256": found.sha256,
            "state": MediaState.STORED if found.path else MediaState.EXPECTED,
        },
    )
    assert result.inserted_primary_key is not None  # noqa: S101 - one row, one key
    return int(result.inserted_primary_key[0])


def _known(connection: Connection, account_id: int, source: Source) -> JobMedia:
    """What an earlier request brought, locked: retention cannot remove the original while a job is being attached to it."""
    row = connection.execute(
        _KNOWN.where(media.c.media_key == source.value, media.c.account_id == account_id).with_for_update()
    ).first()
    is_upload = row is not None and row.source_kind == SourceKind.UPLOAD
    if row is None or row.state == MediaState.EXPIRED or (source.kind is SourceKind.UPLOAD and not is_upload):
        if source.kind is SourceKind.UPLOAD:
            raise NotFound("There is no such upload, or it has expired. Upload the file again.", code="upload_unknown")
        raise NotFound("There is no such media, or it has expired. Submit its source again.", code="media_unknown")
    if row.state == MediaState.EXPECTED and not is_upload:
        raise Conflict("This media is still being fetched. Submit its URL, or wait.", code="media_not_ready")
    return JobMedia(
        id=row.id,
        key=row.media_key,
        state=MediaState(row.state),
        source=Source(kind=SourceKind(row.source_kind), value=row.source),
        name=row.name,
        bytes=row.bytes,
        facts=row.facts,
    )


def _minutes_of(connection: Connection, account_id: int, key: str) -> float:
    """How long a media is that becomes a part of another one."""
    known = _known(connection, account_id, Source(kind=SourceKind.MEDIA, value=key))
    if known.state != MediaState.PROBED:
        raise Conflict(
            f"The media {key} is not probed yet. Wait for that, then lay it together.", code="media_not_ready"
        )
    return float((known.facts or {}).get("duration") or 0.0) / 60
