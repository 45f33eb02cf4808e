"""What a callback of the original's API has to say, looked up when it is sent: the outbox carries keys alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import artifact, job, media, output
from omkt_pipeline.db.tables.wire import wire_client, wire_format, wire_media
from omkt_pipeline.domain.job import JobState, MediaState, OutputState
from omkt_pipeline.queue.wire.clients import WireClient, by_account


class Alert(IntEnum):
    """What went wrong for good. The original knew the first alone."""

    NO_TRACKS = 1  #: the file arrived, and is no media that can be used
    NOT_FETCHED = 2  #: the file did not arrive
    NOT_MADE = 3  #: a format could not be made
    CANCELLED = 4


@dataclass(frozen=True, kw_only=True)
class Made:
    """A published result: its main file, and what is in it."""

    entry: str
    bytes: int
    kind: str
    contents: Mapping[str, Any]  #: the output's `result`


@dataclass(frozen=True, kw_only=True)
class Telling:
    """A job of a client, ended, in the client's own numbers."""

    client: WireClient
    remote_id: int
    adapter: str
    setting: int | None  #: None for the job that brought the media
    facts: Mapping[str, Any] | None  #: of the media
    made: Made | None
    alert: Alert | None
    message: str


def telling_of(database: Database, job_key: str) -> Telling | None:
    """What is to be told of a job. None when its client is gone, or its media has another job since."""
    return database.fetch(lambda connection: _telling(connection, job_key))


def secret_for(database: Database, job_id: int, url: str) -> str | None:
    """The client's secret, to be presented with a job's URL; None when there is none, or it is not the client's host."""
    question = (
        select(wire_client.c.app_key, wire_client.c.url)
        .join(wire_media, wire_media.c.account_id == wire_client.c.account_id)
        .where(wire_media.c.job_id == job_id)
    )
    row = database.fetch(lambda connection: connection.execute(question).first())
    return row.app_key if row is not None and _host(row.url) == _host(url) else None


def _telling(connection: Connection, job_key: str) -> Telling | None:
    row = connection.execute(
        select(
            job.c.id,
            job.c.account_id,
            job.c.state,
            job.c.error_message,
            media.c.state.label("media_state"),
            media.c.facts,
        )
        .join(media, media.c.id == job.c.media_id)
        .where(job.c.job_key == job_key)
    ).first()
    client = by_account(connection, row.account_id) if row else None
    if row is None or client is None:
        return None
    ordered = connection.execute(
        select(wire_media.c.remote_id, wire_media.c.adapter, wire_format.c.setting)
        .join(wire_format, wire_format.c.wire_media_id == wire_media.c.id)
        .where(wire_format.c.job_id == row.id)
    ).first()
    brought = connection.execute(
        select(wire_media.c.remote_id, wire_media.c.adapter).where(wire_media.c.job_id == row.id)
    ).first()
    found = ordered or brought
    if found is None:
        return None
    alert = _alert(JobState(row.state), MediaState(row.media_state), is_format=ordered is not None)
    return Telling(
        client=client,
        remote_id=found.remote_id,
        adapter=found.adapter,
        setting=ordered.setting if ordered else None,
        facts=row.facts,
        made=_made(connection, row.id) if ordered else None,
        alert=alert,
        message=row.error_message or ("It was cancelled." if alert is Alert.CANCELLED else ""),
    )


def _alert(state: JobState, media_state: MediaState, *, is_format: bool) -> Alert | None:
    if state is JobState.CANCELLED:
        return Alert.CANCELLED
    if state is not JobState.FAILED:
        return None
    if is_format:
        return Alert.NOT_MADE
    return Alert.NOT_FETCHED if media_state is MediaState.EXPECTED else Alert.NO_TRACKS


def _made(connection: Connection, job_id: int) -> Made | None:
    row = connection.execute(
        select(output.c.entry, output.c.kind, output.c.result, artifact.c.bytes)
        .join(artifact, (artifact.c.task_id == output.c.task_id) & (artifact.c.path == output.c.entry))
        .where(output.c.job_id == job_id, output.c.state == OutputState.PUBLISHED)
    ).first()
    return Made(entry=row.entry, bytes=row.bytes, kind=row.kind, contents=row.result or {}) if row else None


def _host(url: str) -> str | None:
    return urlsplit(url).hostname
