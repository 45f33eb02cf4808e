"""Resumable uploads: a row says how much of a file is safe on the share; whoever writes holds a lease on it.

The media exists from the first request on, so that a job can name it; its first task waits until the file is whole.
"""

import os
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, or_, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job, media, task, upload
from omkt_pipeline.db.types import now, now_plus
from omkt_pipeline.domain.errors import Conflict, LeaseLost, NotFound
from omkt_pipeline.domain.job import MediaState, SourceKind
from omkt_pipeline.domain.keys import new_key
from omkt_pipeline.domain.task import TaskState
from omkt_pipeline.queue.dependencies import release_if_free
from omkt_pipeline.queue.endings import OPEN_JOB, fail_job

_BATCH = 50


@dataclass(frozen=True, kw_only=True)
class UploadView:
    """A resumable upload as its client sees it."""

    key: str
    name: str | None
    length: int  #: bytes announced
    received: int  #: bytes that are safe on the share
    metadata: str | None  #: the client's own words, echoed
    expires_at: datetime | None  #: None once it is whole
    sha256: str | None = None  #: once it is whole
    is_held: bool = False  #: a request is writing it, or its connection has just broken

    @property
    def is_whole(self) -> bool:
        """The file is complete; jobs that waited for it have begun."""
        return self.expires_at is None


@dataclass(frozen=True, kw_only=True)
class Hold:
    """The right to write an upload, until its lease ends; renewed by each `advance`."""

    media_id: int
    key: str
    length: int
    received: int
    token: bytes


def create_upload(
    database: Database, account_id: int, *, length: int, name: str | None, metadata: str | None, keep_seconds: float
) -> UploadView:
    """Announce a file of `length` bytes."""
    key = new_key()

    def write(connection: Connection) -> bool:
        result = connection.execute(
            insert(media).values(
                media_key=key,
                account_id=account_id,
                source_kind=SourceKind.UPLOAD,
                source=key,
                name=name,
                state=MediaState.EXPECTED,
                created_at=now(),
            )
        )
        assert result.inserted_primary_key is not None  # noqa: S101 - one row, one key
        connection.execute(
            insert(upload).values(
                media_id=result.inserted_primary_key[0],
                length=length,
                received=0,
                metadata_text=metadata,
                expires_at=now_plus(keep_seconds),
            )
        )
        return True

    known = select(media.c.id).where(media.c.media_key == key)
    database.transact(write, landed=lambda connection: True if connection.execute(known).first() else None)
    return upload_by_key(database, account_id, key)


def upload_by_key(database: Database, account_id: int, key: str) -> UploadView:
    """An upload, running or whole. Raises NotFound, for other accounts' uploads too."""
    question = (
        select(
            media,
            upload.c.length,
            upload.c.received,
            upload.c.metadata_text,
            upload.c.expires_at,
            (upload.c.lease_until >= now()).label("held"),
        )
        .outerjoin(upload, upload.c.media_id == media.c.id)
        .where(media.c.media_key == key, media.c.account_id == account_id, media.c.source_kind == SourceKind.UPLOAD)
    )
    row = database.fetch(lambda connection: connection.execute(question).first())
    if row is None or row.state == MediaState.EXPIRED or (row.state == MediaState.EXPECTED and row.length is None):
        raise _unknown()
    whole = row.state != MediaState.EXPECTED
    return UploadView(
        key=row.media_key,
        name=row.name,
        length=row.bytes if whole else row.length,
        received=row.bytes if whole else row.received,
        metadata=row.metadata_text,
        expires_at=None if whole else row.expires_at,
        sha256=row.sha256,
        is_held=bool(row.held) and not whole,
    )


def hold_upload(database: Database, account_id: int, key: str, *, lease_seconds: float) -> Hold:
    """Take the right to write. Raises NotFound, Conflict (upload_busy) while another request writes."""
    token = os.urandom(16)

    def write(connection: Connection) -> Hold:
        media_id = _running(connection, account_id, key)
        matched = connection.execute(
            update(upload)
            .where(upload.c.media_id == media_id, or_(upload.c.lease_until.is_(None), upload.c.lease_until < now()))
            .values(lease_token=token, lease_until=now_plus(lease_seconds))
        ).rowcount
        row = connection.execute(
            select(upload.c.length, upload.c.received, upload.c.lease_token).where(upload.c.media_id == media_id)
        ).first()
        if row is None:
            raise _unknown()
        if not matched and row.lease_token != token:
            raise Conflict("Another request is sending this upload. Try again in a few seconds.", code="upload_busy")
        return Hold(media_id=media_id, key=key, length=row.length, received=row.received, token=token)

    return database.transact(write)


def advance_upload(database: Database, hold: Hold, received: int, *, lease_seconds: float, keep_seconds: float) -> None:
    """So many bytes are safe on the share. Raises LeaseLost when the right has gone to another."""
    mine = (upload.c.media_id == hold.media_id, upload.c.lease_token == hold.token)
    step = (
        update(upload)
        .where(*mine)
        .values(received=received, lease_until=now_plus(lease_seconds), expires_at=now_plus(keep_seconds))
    )
    if not database.transact(lambda connection: connection.execute(step).rowcount):
        raise LeaseLost


def let_go(database: Database, hold: Hold) -> None:
    """Give the right back; whoever comes next need not wait."""
    free = (
        update(upload)
        .where(upload.c.media_id == hold.media_id, upload.c.lease_token == hold.token)
        .values(lease_token=None, lease_until=None)
    )
    database.transact(lambda connection: connection.execute(free).rowcount)


def complete_upload(database: Database, hold: Hold, *, path: str, sha256: str) -> None:
    """The file is whole, synced and hashed: the media is stored, and the jobs that waited for it begin. Raises LeaseLost."""

    def write(connection: Connection) -> bool:
        # The media first, as `submit` does: a job is either attached before this, and found below, or finds it stored.
        connection.execute(select(media.c.id).where(media.c.id == hold.media_id).with_for_update()).one()
        matched = connection.execute(
            delete(upload).where(upload.c.media_id == hold.media_id, upload.c.lease_token == hold.token)
        ).rowcount
        if not matched:
            raise LeaseLost
        connection.execute(
            update(media)
            .where(media.c.id == hold.media_id, media.c.state == MediaState.EXPECTED)
            .values(state=MediaState.STORED, path=path, bytes=hold.length, sha256=sha256)
        )
        release_if_free(connection, _waiting_tasks(connection, hold.media_id))
        return True

    stored = select(media.c.id).where(media.c.id == hold.media_id, media.c.state != MediaState.EXPECTED)
    database.transact(write, landed=lambda connection: True if connection.execute(stored).first() else None)


def end_upload(database: Database, account_id: int, key: str) -> None:
    """Give up a running upload; jobs that wait for it fail. Raises NotFound."""

    def write(connection: Connection) -> bool:
        media_id = _running(connection, account_id, key)
        _end(connection, media_id, "The upload that this job waited for was given up.")
        return True

    gone = select(media.c.id).where(media.c.media_key == key, media.c.state == MediaState.EXPIRED)
    database.transact(write, landed=lambda connection: True if connection.execute(gone).first() else None)


def expire_uploads(database: Database) -> list[str]:
    """Give up uploads that nobody continued in their time; return their keys. Their files are strays from now on."""

    def write(connection: Connection) -> list[str]:
        ids = connection.execute(
            select(upload.c.media_id).where(upload.c.expires_at < now()).order_by(upload.c.expires_at).limit(_BATCH)
        ).scalars()
        keys = []
        for media_id in ids.all():
            key = connection.execute(
                select(media.c.media_key)
                .where(media.c.id == media_id, media.c.state == MediaState.EXPECTED)
                .with_for_update()
            ).scalar()
            late = select(upload.c.media_id).where(upload.c.media_id == media_id, upload.c.expires_at < now())
            if key is not None and connection.execute(late.with_for_update()).first():
                _end(connection, media_id, "The upload that this job waited for was not continued in its time.")
                keys.append(key)
        return keys

    return database.transact(write)


def _running(connection: Connection, account_id: int, key: str) -> int:
    """The media of an upload that is not whole, locked. Raises NotFound."""
    found = connection.execute(
        select(media.c.id)
        .where(media.c.media_key == key, media.c.account_id == account_id, media.c.state == MediaState.EXPECTED)
        .where(media.c.source_kind == SourceKind.UPLOAD)
        .with_for_update()
    ).scalar()
    if found is None:
        raise _unknown()
    return int(found)


def _end(connection: Connection, media_id: int, why: str) -> None:
    connection.execute(delete(upload).where(upload.c.media_id == media_id))
    # The path says that files may lie there, until retention has removed them.
    connection.execute(update(media).where(media.c.id == media_id).values(state=MediaState.EXPIRED, path="unfinished"))
    for job_id in _jobs(connection, media_id):
        fail_job(connection, job_id, code="upload_unfinished", message=why)


def _jobs(connection: Connection, media_id: int) -> list[int]:
    question = select(job.c.id).where(job.c.media_id == media_id, job.c.state.in_(OPEN_JOB)).order_by(job.c.id)
    return list(connection.execute(question).scalars())


def _waiting_tasks(connection: Connection, media_id: int) -> list[int]:
    jobs = _jobs(connection, media_id)
    question = select(task.c.id).where(task.c.job_id.in_(jobs), task.c.state == TaskState.WAITING).order_by(task.c.id)
    return list(connection.execute(question).scalars()) if jobs else []


def _unknown() -> NotFound:
    return NotFound("There is no such upload, or it has expired. Upload the file again.", code="upload_unknown")
