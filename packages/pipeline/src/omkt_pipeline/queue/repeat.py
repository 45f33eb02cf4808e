"""A job once more, whole: what the request for that is, in a new job beside the old one.

The old job keeps what it did and said; nothing that it made is used again.
"""

import hashlib
from typing import Any

from sqlalchemy import Connection, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job, media, task
from omkt_pipeline.domain.errors import Conflict, NotFound
from omkt_pipeline.domain.job import (
    Callback,
    CallbackKind,
    JobRequest,
    MediaState,
    Priority,
    Source,
    SourceKind,
)
from omkt_pipeline.domain.task import TaskKind
from omkt_pipeline.queue.endings import OPEN_JOB
from omkt_pipeline.queue.wanted import name_of, wanted

#: Sources that can be made once more when their original is gone or never came.
_MADE_AGAIN = (SourceKind.URL, SourceKind.CONCAT)


def request_again(database: Database, account_id: int, job_key: str, idempotency_key: str | None) -> JobRequest:
    """What was asked for in a job that has ended, with the outputs that were added to it. Its times are not: they are past.

    Raises NotFound, Conflict (job_open; source_expired when the original is gone and cannot be fetched).
    """

    def read(connection: Connection) -> JobRequest:
        row = connection.execute(
            select(job, media.c.media_key, media.c.state.label("media_state"), media.c.source_kind, media.c.source)
            .join(media, media.c.id == job.c.media_id)
            .where(job.c.job_key == job_key, job.c.account_id == account_id)
        ).first()
        if row is None:
            raise NotFound(f"There is no job {job_key}.", code="job_unknown")
        if row.state in OPEN_JOB:
            raise Conflict("The job has not ended. Wait for its end, or cancel it first.", code="job_open")
        return JobRequest(
            source=_source(row),
            presets=tuple(wanted(one) for one in [*row.presets, *(row.added or [])]),
            priority=next(one for one in Priority if one.band == row.band),
            callback=_callback(row),
            client_data=row.client_data,
            tags=tuple(row.tags or ()),
            first=_first(connection, row.id),
            anew=True,
            idempotency_key=idempotency_key,
            fingerprint=hashlib.sha256(f"repeat {job_key}".encode()).hexdigest(),
        )

    return database.fetch(read)


def _source(row: Any) -> Source:
    if row.media_state in (MediaState.STORED, MediaState.PROBED):
        return Source(kind=SourceKind.MEDIA, value=row.media_key)
    if SourceKind(row.source_kind) in _MADE_AGAIN:
        return Source(kind=SourceKind(row.source_kind), value=row.source)
    if row.media_state == MediaState.EXPIRED:
        raise Conflict("The original is not here any more. Submit its source again.", code="source_expired")
    return Source(kind=SourceKind.UPLOAD, value=row.media_key)  # it is still awaited


def _callback(row: Any) -> Callback | None:
    if row.callback_url is None or row.callback_kind != CallbackKind.WEBHOOK:
        return None
    return Callback(url=row.callback_url, types=tuple(row.callback_types or ()))


def _first(connection: Connection, job_id: int) -> str | None:
    """The output that was made before the others: the plan that leads names it alone."""
    plans = connection.execute(
        select(task.c.plan_key, task.c.spec)
        .where(task.c.job_id == job_id, task.c.kind == TaskKind.PLAN)
        .order_by(task.c.id)
    ).all()
    leading = plans[0].spec.get("presets", []) if plans else []
    in_turn = any(one.plan_key == "plan-rest" for one in plans)
    return name_of(leading[0]) if in_turn and leading else None
