"""Submit, cancel and retry a job: each one transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import idempotency, job, media, output, task
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.errors import Conflict, NotFound
from omkt_pipeline.domain.job import (
    CallbackKind,
    JobRequest,
    JobState,
    JobView,
    MediaState,
    OutputState,
    Source,
    SourceKind,
)
from omkt_pipeline.domain.keys import new_key
from omkt_pipeline.domain.plan import PlannedTask
from omkt_pipeline.domain.task import Pool, TaskKind, TaskState
from omkt_pipeline.queue.dependencies import release_if_free
from omkt_pipeline.queue.endings import OPEN_JOB, cancel_job
from omkt_pipeline.queue.enqueue import JobRef, add_tasks, take_turns
from omkt_pipeline.queue.fair import Turns, advance_alone
from omkt_pipeline.queue.overview import view_of_new
from omkt_pipeline.queue.sources import JobMedia, NewMedia, insert_media, media_of
from omkt_pipeline.queue.wanted import plans_in_turn, stored


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """The job of a request: new, or the one that an earlier request with the same Idempotency-Key made."""

    job_key: str
    replayed: bool
    view: JobView | None = None  #: of a new one; None: it must be asked for


#: CPU seconds that decoding a film may take; how long it is may not be known yet.
_MEASURE_COST = 60.0
#: The same for decoding a minute of film and encoding it anew.
_CONCAT_COST_A_MINUTE = 30.0
_INSERT_JOB = insert(job)
#: What a caller writes beside a new job, in the same transaction; it is given the job's number.
Beside = Callable[[Connection, int], None]


def submit(
    database: Database, account_id: int, request: JobRequest, found: NewMedia, *, beside: Beside | None = None
) -> Submitted:
    """Store media, job and first tasks, all or nothing.

    Raises Conflict (code idempotency_mismatch) when the key was used for another request, NotFound for an unknown upload,
    and what `beside` raises.
    """
    job_key = new_key()
    turns: dict[Pool, Turns] = {}

    def write(connection: Connection) -> Submitted:
        turns.clear()
        earlier = _earlier(connection, account_id, request)
        if earlier is not None:
            return earlier
        source = media_of(connection, account_id, request.source, found)
        steps = _steps(request, source)
        turns.update(take_turns(connection, account_id, request.priority.band, steps))
        row = _row(account_id, request, job_key, source, turns)
        job_id = _insert_job(connection, row)
        if beside is not None:
            beside(connection, job_id)
        if request.idempotency_key is not None:
            connection.execute(
                insert(idempotency).values(
                    account_id=account_id,
                    request_key=request.idempotency_key,
                    fingerprint=request.fingerprint,
                    job_id=job_id,
                    created_at=now(),
                )
            )
        reference = JobRef(
            id=job_id, key=job_key, media_id=source.id, account_id=account_id, band=request.priority.band
        )
        held = _held(steps, source.state)
        add_tasks(connection, reference, steps, taken=turns, held=held, not_before=request.not_before)
        return Submitted(job_key=job_key, replayed=False, view=view_of_new(row, source))

    def landed(connection: Connection) -> Submitted | None:
        mine = connection.execute(select(job.c.id).where(job.c.job_key == job_key)).first()
        return Submitted(job_key=job_key, replayed=False) if mine else None

    try:
        submitted = database.transact(write, landed=landed)
    except IntegrityError:
        # Another request with the same key was faster by a moment; its job is the answer to this one too.
        winner = database.fetch(lambda connection: _earlier(connection, account_id, request))
        if winner is None:
            raise
        return winner
    advance_alone(database, turns.values())
    return submitted


def _steps(request: JobRequest, source: JobMedia) -> list[PlannedTask]:
    steps = first_tasks(request.source, source.key, source.state, measure=request.measure, minutes=source.minutes)
    if request.anew:
        steps[-1] = steps[-1].model_copy(update={"spec": {"anew": True}})
    if request.first is not None:
        steps = [*steps[:-1], *plans_in_turn(steps[-1], stored(request.presets), request.first)]
    return steps


def first_tasks(
    source: Source, media_key: str, state: MediaState, *, measure: bool = False, minutes: float = 0.0
) -> list[PlannedTask]:
    """The tasks every job begins with: only what is not known yet is fetched and probed, and measured where it is asked for."""
    steps: list[PlannedTask] = []
    if state == MediaState.EXPECTED and source.kind is SourceKind.URL:
        steps.append(PlannedTask(key="fetch", kind=TaskKind.FETCH, spec={"url": source.value, "media": media_key}))
    if state == MediaState.EXPECTED and source.kind is SourceKind.CONCAT:
        spec = {"media": media_key, "parts": source.value.split(",")}
        steps.append(PlannedTask(key="concat", kind=TaskKind.CONCAT, spec=spec, cost=_CONCAT_COST_A_MINUTE * minutes))
    if state != MediaState.PROBED:
        steps.append(PlannedTask(key="probe", kind=TaskKind.PROBE, spec={}, needs=tuple(step.key for step in steps)))
    if measure:
        needs = tuple(step.key for step in steps[-1:])
        steps.append(PlannedTask(key="measure", kind=TaskKind.MEASURE, spec={}, needs=needs, cost=_MEASURE_COST))
    needs = tuple(step.key for step in steps[-1:])
    steps.append(PlannedTask(key="plan", kind=TaskKind.PLAN, spec={}, needs=needs))
    return steps


def _held(steps: list[PlannedTask], state: MediaState) -> tuple[str, ...]:
    """The task that waits for the end of an upload; `complete_upload` releases it."""
    is_made = any(step.kind in (TaskKind.FETCH, TaskKind.CONCAT) for step in steps)
    is_sent = state == MediaState.EXPECTED and not is_made
    return ("probe",) if is_sent else ()


def store_upload(database: Database, account_id: int, media_key: str, found: NewMedia) -> None:
    """Enter an uploaded original, which lies complete on the share."""

    def write(connection: Connection) -> bool:
        insert_media(connection, account_id, media_key, Source(kind=SourceKind.UPLOAD, value=media_key), found)
        return True

    def landed(connection: Connection) -> bool | None:
        known = connection.execute(select(media.c.id).where(media.c.media_key == media_key)).first()
        return True if known else None

    database.transact(write, landed=landed)


def cancel(database: Database, account_id: int, job_key: str) -> None:
    """Stop a job. Cancelling a cancelled job is no error. Raises NotFound, Conflict (code job_ended)."""

    def write(connection: Connection) -> None:
        job_id = _job_id(connection, account_id, job_key)
        if not cancel_job(connection, job_id):
            state = connection.execute(select(job.c.state).where(job.c.id == job_id)).scalar_one()
            if state != JobState.CANCELLED:
                raise Conflict(f"The job has already ended: it {_PAST[JobState(state)]}.", code="job_ended")

    database.transact(write)


_PAST = {
    JobState.SUCCEEDED: "succeeded",
    JobState.FAILED: "failed",
    JobState.EXPIRED: "expired",
    JobState.QUEUED: "is queued",
    JobState.RUNNING: "is running",
    JobState.CANCELLED: "was cancelled",
}


def retry(database: Database, account_id: int, job_key: str) -> None:
    """Try a failed or cancelled job again; what was done stays done.

    Raises NotFound, Conflict (job_not_failed, job_stopping).
    """

    def write(connection: Connection) -> bool:
        job_id = _job_id(connection, account_id, job_key)
        tasks = connection.execute(
            select(task.c.id, task.c.state, task.c.kind, task.c.twin_id)
            .where(task.c.job_id == job_id)
            .order_by(task.c.id)
            .with_for_update()
        ).all()
        if any(one.state == TaskState.RUNNING for one in tasks):
            raise Conflict("A worker is still stopping; try again in a few seconds.", code="job_stopping")
        unplanned = any(one.kind == TaskKind.PLAN and one.state != TaskState.DONE for one in tasks)
        matched = connection.execute(
            update(job)
            .where(job.c.id == job_id, job.c.state.in_((JobState.FAILED, JobState.CANCELLED)))
            .values(
                # A job begins when its first steps are claimed. If those are done, it goes on where it stood.
                state=JobState.QUEUED if unplanned else JobState.RUNNING,
                error_code=None,
                error_message=None,
                finished_at=None,
                swept=False,
            )
        ).rowcount
        if not matched:
            raise Conflict("Only a job that failed or was cancelled can be tried again.", code="job_not_failed")
        done = {one.id for one in tasks if one.state == TaskState.DONE}
        # Of two starts of the same work the first is tried again, and none when the other one did it.
        again = [
            one.id
            for one in tasks
            if one.state > TaskState.DONE
            and (one.twin_id is None or (one.id < one.twin_id and one.twin_id not in done))
        ]
        connection.execute(
            update(task)
            .where(task.c.id.in_(again), task.c.state > TaskState.DONE)
            .values(
                state=TaskState.WAITING,
                failures=0,
                losses=0,
                progress=0.0,
                cancel_requested=False,
                avoid_host=None,
                reason=None,
                message=None,
                finished_at=None,
                run_at=now(),
            )
        )
        connection.execute(
            update(output)
            .where(output.c.job_id == job_id, output.c.state == OutputState.FAILED)
            .values(state=OutputState.PENDING)
        )
        release_if_free(connection, again)
        return True

    def landed(connection: Connection) -> bool | None:
        state = connection.execute(
            select(job.c.state).where(job.c.job_key == job_key, job.c.account_id == account_id)
        ).scalar()
        return True if state in OPEN_JOB else None

    database.transact(write, landed=landed)


def _earlier(connection: Connection, account_id: int, request: JobRequest) -> Submitted | None:
    if request.idempotency_key is None:
        return None
    row = connection.execute(
        select(idempotency.c.fingerprint, job.c.job_key)
        .join(job, job.c.id == idempotency.c.job_id)
        .where(idempotency.c.account_id == account_id, idempotency.c.request_key == request.idempotency_key)
    ).first()
    if row is None:
        return None
    if row.fingerprint != request.fingerprint:
        raise Conflict(
            "This Idempotency-Key was used for a different request. Use a new key for a new request.",
            code="idempotency_mismatch",
        )
    return Submitted(job_key=row.job_key, replayed=True)


def _row(
    account_id: int, request: JobRequest, key: str, source: JobMedia, turns: Mapping[Pool, Turns]
) -> dict[str, Any]:
    """What is stored of a new job."""
    return {
        "job_key": key,
        "account_id": account_id,
        "media_id": source.id,
        "state": JobState.QUEUED,
        "band": request.priority.band,
        "presets": stored(request.presets),
        "callback_url": request.callback.url if request.callback else None,
        "callback_kind": request.callback.kind if request.callback else CallbackKind.WEBHOOK,
        "callback_types": list(request.callback.types) or None if request.callback else None,
        "client_data": request.client_data,
        "tags": list(request.tags) or None,
        "not_before": request.not_before,
        "deadline": request.deadline,
        "events": 0,
        "swept": False,
        "created_at": min(turn.at for turn in turns.values()),
    }


def _insert_job(connection: Connection, row: Mapping[str, Any]) -> int:
    result = connection.execute(_INSERT_JOB, row)
    assert result.inserted_primary_key is not None  # noqa: S101 - one row, one key
    return int(result.inserted_primary_key[0])


def _job_id(connection: Connection, account_id: int, job_key: str) -> int:
    found = connection.execute(
        select(job.c.id).where(job.c.job_key == job_key, job.c.account_id == account_id)
    ).scalar()
    if found is None:
        raise NotFound(f"There is no job {job_key}.", code="job_unknown")
    return int(found)
