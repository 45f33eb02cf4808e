"""Read-only questions of clients and operators. Every question about a job names the account that asks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, true

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import artifact, job, media, output, task, task_attempt
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.errors import NotFound, Refused
from omkt_pipeline.domain.job import (
    Failure,
    JobState,
    JobView,
    OutputState,
    OutputView,
    Priority,
    Source,
    SourceKind,
)
from omkt_pipeline.domain.task import Artifact, Attempt, AttemptOutcome, StepView, TaskKind, TaskState, TaskView
from omkt_pipeline.queue.pace import pace
from omkt_pipeline.queue.sources import JobMedia

_PRIORITY = {priority.band: priority for priority in Priority}
#: What fetching, probing and planning are worth in a job's progress before its plan is known.
_EARLY_STEP = 0.01
#: And what must be done before it can be made, where that is much: samples, parts that are laid together.
_EARLY_PART = 0.1
_LATE = (TaskKind.ENCODE, TaskKind.PACKAGE, TaskKind.MEASURE, TaskKind.CONCAT)
#: What a job's row holds when nothing happened to it yet.
_UNTOUCHED = dict.fromkeys(("added", "decisions", "error_code", "error_message", "started_at", "finished_at"))
_TOGETHER = 200  #: jobs in one question
_JOBS: Any = select(
    job,
    media.c.media_key,
    media.c.source_kind,
    media.c.source,
    media.c.name.label("media_name"),
    media.c.bytes.label("media_bytes"),
    media.c.facts.label("media_facts"),
    now().label("clock"),
).join(media, media.c.id == job.c.media_id)
#: Built once, for the hot paths.
_ONE_JOB = _JOBS.where(job.c.account_id == bindparam("of_account"), job.c.job_key == bindparam("of_key"))


def job_by_key(database: Database, account_id: int, job_key: str) -> JobView:
    """One job. Raises NotFound, for other accounts' jobs too."""
    which = {"of_account": account_id, "of_key": job_key}
    found = database.fetch(lambda connection: _views(connection, connection.execute(_ONE_JOB, which).all()))
    if not found:
        raise NotFound(f"There is no job {job_key}.", code="job_unknown")
    return found[0]


def jobs_by_keys(database: Database, job_keys: Sequence[str]) -> dict[str, JobView]:
    """The jobs of these keys that there are, of whichever accounts: for callers that have asked for each with its account."""

    def look(connection: Connection) -> dict[str, JobView]:
        found: dict[str, JobView] = {}
        for begin in range(0, len(job_keys), _TOGETHER):
            rows = connection.execute(_JOBS.where(job.c.job_key.in_(job_keys[begin : begin + _TOGETHER]))).all()
            found |= {view.key: view for view in _views(connection, rows)}
        return found

    return database.fetch(look)


def view_of_new(row: Mapping[str, Any], source: JobMedia) -> JobView:
    """A job that is being stored, as `job_by_key` shows it then: nothing was done for it yet."""
    stored = SimpleNamespace(
        **{**_UNTOUCHED, **row},
        media_key=source.key,
        source_kind=source.source.kind,
        source=source.source.value,
        media_name=source.name,
        media_bytes=source.bytes,
        media_facts=source.facts,
    )
    return _view(stored, [], [])


@dataclass(frozen=True, kw_only=True)
class Page:
    """Jobs, newest first; `next_before` is the key of the job before which the following page begins."""

    jobs: list[JobView]
    next_before: str | None


def jobs_page(
    database: Database, account_id: int, *, limit: int, before: str | None = None, state: JobState | None = None
) -> Page:
    """A page of an account's jobs, newest first, stable while new ones arrive.

    Raises Refused (code cursor_invalid) when `before` is no job of the account.
    """
    chosen = select(job.c.id).where(
        job.c.account_id == account_id, *([job.c.state == state] if state is not None else [])
    )

    def look(connection: Connection) -> Page:
        older = job.c.id < _cursor(connection, account_id, before) if before is not None else true()
        # First which ones, off an index: joined at once with their media, MySQL may sort all jobs of the account.
        page = chosen.where(older).order_by(job.c.id.desc()).limit(limit + 1).subquery("page")
        rows = connection.execute(_JOBS.join(page, page.c.id == job.c.id).order_by(job.c.id.desc())).all()
        shown = rows[:limit]
        return Page(jobs=_views(connection, shown), next_before=shown[-1].job_key if len(rows) > limit else None)

    return database.fetch(look)


def tasks_of(database: Database, account_id: int, job_key: str) -> list[TaskView]:
    """The tasks of a job with their attempts, in the order of the plan. Raises NotFound."""

    def look(connection: Connection) -> list[TaskView]:
        job_id = connection.execute(
            select(job.c.id).where(job.c.account_id == account_id, job.c.job_key == job_key)
        ).scalar()
        if job_id is None:
            raise NotFound(f"There is no job {job_key}.", code="job_unknown")
        rows = connection.execute(select(task).where(task.c.job_id == job_id).order_by(task.c.id)).all()
        history = defaultdict(list)
        attempts = connection.execute(
            select(task_attempt)
            .where(task_attempt.c.task_id.in_([row.id for row in rows]))
            .order_by(task_attempt.c.task_id, task_attempt.c.attempt)
        )
        for tried in attempts:
            history[tried.task_id].append(_attempt(tried))
        return [_task_view(row, history[row.id]) for row in rows]

    return database.fetch(look)


@dataclass(frozen=True, kw_only=True)
class PublishedOutput:
    """Where a published output lies on the share, and its files by name."""

    job_key: str
    output_key: str
    preset: str
    kind: str
    entry: str
    folder: str
    bytes: int
    result: Mapping[str, Any]
    media_name: str | None
    files: dict[str, Artifact]


def published_output(
    database: Database, job_key: str, output_key: str, *, account_id: int | None = None
) -> PublishedOutput:
    """A published output; `account_id` None only for callers with a signed link. Raises NotFound."""
    question = (
        select(output, media.c.name.label("media_name"))
        .join(job, job.c.id == output.c.job_id)
        .join(media, media.c.id == job.c.media_id)
        .where(job.c.job_key == job_key, output.c.output_key == output_key, output.c.state == OutputState.PUBLISHED)
    )
    if account_id is not None:
        question = question.where(job.c.account_id == account_id)

    def look(connection: Connection) -> PublishedOutput:
        row = connection.execute(question).first()
        if row is None:
            raise NotFound("There is no such output, or it is not ready.", code="output_unknown")
        files = connection.execute(
            select(artifact).where(artifact.c.task_id == row.task_id).order_by(artifact.c.task_id, artifact.c.path)
        ).all()
        return PublishedOutput(
            job_key=job_key,
            output_key=output_key,
            preset=row.preset,
            kind=row.kind,
            entry=row.entry,
            folder=row.folder,
            bytes=row.bytes or 0,
            result=row.result or {},
            media_name=row.media_name,
            files={file.path: Artifact(path=file.path, bytes=file.bytes, sha256=file.sha256) for file in files},
        )

    return database.fetch(look)


def queue_depth(database: Database) -> dict[tuple[int, int], int]:
    """Number of open tasks by (pool, state), for metrics."""
    question = (
        select(task.c.pool, task.c.state, func.count().label("tasks"))
        .where(task.c.state < TaskState.DONE)
        .group_by(task.c.state, task.c.pool)
    )
    rows = database.fetch(lambda connection: connection.execute(question).all())
    return {(row.pool, row.state): row.tasks for row in rows}


def _cursor(connection: Connection, account_id: int, job_key: str) -> int:
    found = connection.execute(
        select(job.c.id).where(job.c.account_id == account_id, job.c.job_key == job_key)
    ).scalar()
    if found is None:
        raise Refused("This cursor belongs to no page of yours. Begin again without one.", code="cursor_invalid")
    return int(found)


def _views(connection: Connection, rows: Sequence[Row[Any]]) -> list[JobView]:
    ids = [row.id for row in rows]
    outputs: dict[int, list[OutputView]] = defaultdict(list)
    steps: dict[int, list[Row[Any]]] = defaultdict(list)
    if ids:
        for one in connection.execute(select(output).where(output.c.job_id.in_(ids)).order_by(output.c.id)):
            outputs[one.job_id].append(_output_view(one))
        columns: Any = (
            task.c.job_id,
            task.c.kind,
            task.c.state,
            task.c.progress,
            task.c.cost,
            task.c.id,
            task.c.twin_id,
            task.c.created_at,
        )
        for step in connection.execute(select(*columns).where(task.c.job_id.in_(ids)).order_by(task.c.id)):
            steps[step.job_id].append(step)
    return [_view(row, outputs[row.id], steps[row.id]) for row in rows]


def _view(row: Any, outputs: list[OutputView], steps: list[Row[Any]]) -> JobView:
    state = JobState(row.state)
    open_steps = [step for step in steps if not TaskState(step.state).is_terminal]
    progress = 1.0 if state in (JobState.SUCCEEDED, JobState.EXPIRED) else _progress(steps)
    known = {"key": row.media_key, "name": row.media_name, "bytes": row.media_bytes, "facts": row.media_facts}
    return JobView(
        key=row.job_key,
        account_id=row.account_id,
        state=state,
        stage=open_steps[0].kind if open_steps and state is JobState.RUNNING else None,
        progress=progress,
        presets=tuple(one if isinstance(one, str) else str(one["id"]) for one in [*row.presets, *(row.added or [])]),
        priority=_PRIORITY.get(row.band, Priority.NORMAL),
        source=Source(kind=SourceKind(row.source_kind), value=row.source),
        client_data=row.client_data,
        callback_url=row.callback_url,
        callback_types=tuple(row.callback_types or ()),
        tags=tuple(row.tags or ()),
        not_before=row.not_before,
        deadline=row.deadline,
        error=Failure(code=row.error_code, message=row.error_message or "") if row.error_code else None,
        warnings=tuple(one["message"] for one in row.decisions or [] if one.get("warning")),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        media=known,
        outputs=tuple(outputs),
        steps=tuple(
            StepView(id=one.id, kind=TaskKind(one.kind), state=TaskState(one.state), progress=one.progress)
            for one in steps
        ),
        pace=pace(steps, row.media_facts, progress=progress, begun=row.started_at, clock=row.clock)
        if state is JobState.RUNNING
        else None,
    )


def _progress(steps: list[Row[Any]]) -> float:
    late = [step for step in steps if step.kind in _LATE]
    early = sum(_EARLY_STEP for step in steps if step not in late and step.state == TaskState.DONE)
    # Two starts of the same work are one piece of it, as far as the farther one is.
    reached: dict[int, float] = defaultdict(float)
    costs: dict[int, float] = {}
    for step in late:
        first = min(step.id, step.twin_id or step.id)
        reached[first], costs[first] = max(reached[first], step.progress), step.cost
    whole = sum(costs.values())
    done = sum(costs[first] * reached[first] for first in costs)
    # What comes before the plan, as samples do, says nothing of how much comes behind it.
    foreseen = _EARLY_PART if any(one.kind == TaskKind.PLAN and one.state == TaskState.WAITING for one in steps) else 1
    return round(min(1.0, early + (1 - early) * foreseen * (done / whole if whole else 0.0)), 4)


def _output_view(row: Row[Any]) -> OutputView:
    return OutputView(
        key=row.output_key,
        preset=row.preset,
        state=OutputState(row.state),
        kind=row.kind,
        entry=row.entry,
        bytes=row.bytes,
        result=row.result,
    )


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        attempt=row.attempt,
        host=row.host,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=AttemptOutcome(row.outcome) if row.outcome else None,
        error_code=row.error_code,
        message=row.message,
        log_tail=row.log_tail,
    )


def _task_view(row: Row[Any], history: list[Attempt]) -> TaskView:
    running = row.state == TaskState.RUNNING
    return TaskView(
        id=row.id,
        kind=TaskKind(row.kind),
        state=TaskState(row.state),
        progress=row.progress,
        attempts=row.attempt,
        reason=row.reason if not running else None,
        host=history[-1].host if running and history else None,
        output=row.output_key,
        history=tuple(history),
    )
