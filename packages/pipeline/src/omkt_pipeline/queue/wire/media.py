"""Media and formats under the numbers that clients of the original's API give them."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job, media, output
from omkt_pipeline.db.tables.wire import wire_format, wire_media
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.errors import Conflict, NotFound
from omkt_pipeline.domain.job import JobRequest, JobState, MediaState, OutputState
from omkt_pipeline.queue.jobs import submit
from omkt_pipeline.queue.sources import NewMedia

_ALIVE = (JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED)


@dataclass(frozen=True, kw_only=True)
class WireMedia:
    """A client's media as it stands."""

    id: int
    remote_id: int  #: the client's number
    url: str
    adapter: str
    media_key: str
    job_state: JobState  #: of the job that fetches and probes it
    state: MediaState

    @property
    def alive(self) -> bool:
        """Whether its number is taken: it is there, or on its way."""
        return self.state != MediaState.EXPIRED and self.job_state in _ALIVE

    @property
    def ready(self) -> bool:
        """Whether formats may be asked for."""
        return self.state == MediaState.PROBED


@dataclass(frozen=True, kw_only=True)
class WireFormat:
    """A format that was asked for."""

    setting: int
    job_key: str
    state: JobState
    output_key: str | None  #: what was published
    error: str | None

    @property
    def alive(self) -> bool:
        """Whether asking for it again is to no purpose."""
        return self.state in _ALIVE


def find(database: Database, account_id: int, remote_id: int) -> WireMedia:
    """A client's media. Raises NotFound (media_unknown), for other clients' media too."""
    found = database.fetch(lambda connection: _find(connection, account_id, remote_id))
    if found is None:
        raise NotFound(f"There is no media {remote_id}.", code="media_unknown")
    return found


def hand_over(
    database: Database, account_id: int, remote_id: int, request: JobRequest, known: NewMedia, *, adapter: str
) -> None:
    """Take a media under the client's number, with the job that brings it.

    Handing over again what is there already, from the same address, changes nothing; a number whose media failed or expired
    is free. Raises Conflict (media_exists) for another address, and what `submit` raises.
    """
    url = request.source.value

    def beside(connection: Connection, job_id: int) -> None:
        earlier = _find(connection, account_id, remote_id, lock=True)
        if earlier is not None and earlier.alive:
            raise _There
        values = {"url": url, "adapter": adapter, "job_id": job_id, "created_at": now()}
        if earlier is None:
            connection.execute(insert(wire_media).values(account_id=account_id, remote_id=remote_id, **values))
        else:
            connection.execute(update(wire_media).where(wire_media.c.id == earlier.id).values(**values))
            connection.execute(delete(wire_format).where(wire_format.c.wire_media_id == earlier.id))

    try:
        submit(database, account_id, request, known, beside=beside)
    except (_There, IntegrityError):
        earlier = find(database, account_id, remote_id)
        if earlier.url != url:
            raise Conflict(f"Media {remote_id} has been added already.", code="media_exists") from None


def order(database: Database, account_id: int, taken: WireMedia, setting: int, request: JobRequest) -> None:
    """Ask for a format. Raises Conflict (format_exists) unless an earlier one failed or is gone, and what `submit` raises."""

    def beside(connection: Connection, job_id: int) -> None:
        # One at a time for a media, so that two requests cannot both be first.
        connection.execute(select(wire_media.c.id).where(wire_media.c.id == taken.id).with_for_update()).one()
        mine = (wire_format.c.wire_media_id == taken.id, wire_format.c.setting == setting)
        state = connection.execute(
            select(job.c.state).join(wire_format, wire_format.c.job_id == job.c.id).where(*mine)
        ).scalar()
        if state in _ALIVE:
            raise Conflict(f"Setting {setting} was asked for already.", code="format_exists")
        if state is None:
            connection.execute(insert(wire_format).values(wire_media_id=taken.id, setting=setting, job_id=job_id))
        else:
            connection.execute(update(wire_format).where(*mine).values(job_id=job_id))

    submit(database, account_id, request, NewMedia(), beside=beside)


def formats_of(database: Database, taken: WireMedia) -> dict[int, WireFormat]:
    """The formats of a media that were asked for, by setting."""
    question = (
        select(wire_format.c.setting, job.c.job_key, job.c.state, job.c.error_message, output.c.output_key)
        .join(job, job.c.id == wire_format.c.job_id)
        .outerjoin(output, (output.c.job_id == job.c.id) & (output.c.state == OutputState.PUBLISHED))
        .where(wire_format.c.wire_media_id == taken.id)
        .order_by(wire_format.c.setting)
    )
    return {
        row.setting: WireFormat(
            setting=row.setting,
            job_key=row.job_key,
            state=JobState(row.state),
            output_key=row.output_key,
            error=row.error_message,
        )
        for row in database.fetch(lambda connection: connection.execute(question).all())
    }


class _There(Exception):
    """The number is taken."""


def _find(connection: Connection, account_id: int, remote_id: int, *, lock: bool = False) -> WireMedia | None:
    question = (
        select(
            wire_media.c.id,
            wire_media.c.remote_id,
            wire_media.c.url,
            wire_media.c.adapter,
            media.c.media_key,
            media.c.state,
            job.c.state.label("job_state"),
        )
        .join(job, job.c.id == wire_media.c.job_id)
        .join(media, media.c.id == job.c.media_id)
        .where(wire_media.c.account_id == account_id, wire_media.c.remote_id == remote_id)
    )
    row = connection.execute(question.with_for_update(of=wire_media) if lock else question).first()
    if row is None:
        return None
    return WireMedia(
        id=row.id,
        remote_id=row.remote_id,
        url=row.url,
        adapter=row.adapter,
        media_key=row.media_key,
        job_state=JobState(row.job_state),
        state=MediaState(row.state),
    )
