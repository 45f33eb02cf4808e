"""Audit: read the whole farm and say where it breaks its own promises. Changes nothing; finds nothing when all is well.

Each fault names the promise, what breaks it, and the row. Tasks that a worker holds while we look may be between two
promises on the share (files come before rows), so the files of open jobs are not looked at.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, func, or_, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import artifact, job, media, outbox, output, task, task_attempt, task_edge
from omkt_pipeline.domain.job import JobState, MediaState, OutputState, SourceKind
from omkt_pipeline.domain.task import AttemptOutcome, TaskState
from omkt_pipeline.queue.endings import OPEN_JOB
from omkt_pipeline.queue.redo import RESULT_LOST


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One broken promise. `code` is stable, `row` says where to look."""

    code: str
    row: str
    message: str


_OPEN_TASK = (TaskState.WAITING, TaskState.DELAYED, TaskState.READY, TaskState.RUNNING)
_mine = and_(task_attempt.c.task_id == task.c.id, task_attempt.c.attempt == task.c.attempt)
_ok = exists().where(task_attempt.c.task_id == task.c.id, task_attempt.c.outcome == AttemptOutcome.OK)
_needed = task.alias("needed")
_blocked = exists().where(
    task_edge.c.task_id == task.c.id, _needed.c.id == task_edge.c.needs_id, _needed.c.state != TaskState.DONE
)
#: By something whose result was not there once, and is made anew.
_blocked_from_the_begin = exists().where(
    task_edge.c.task_id == task.c.id,
    _needed.c.id == task_edge.c.needs_id,
    _needed.c.state != TaskState.DONE,
    ~exists().where(task_attempt.c.task_id == _needed.c.id, task_attempt.c.error_code == RESULT_LOST),
)
_uploading = exists().where(
    media.c.id == task.c.media_id, media.c.state == MediaState.EXPECTED, media.c.source_kind == SourceKind.UPLOAD
)


def _tasks(*where: Any) -> Select[Any]:
    return select(task.c.id).where(*where).order_by(task.c.id)


#: Code, what is wrong, the table, and the rows for which it is.
_RULES: tuple[tuple[str, str, str, Select[Any]], ...] = (
    (
        "attempts_do_not_match",
        "has another number of recorded attempts than it counted claims",
        "task",
        _tasks(
            task.c.attempt
            != select(func.count()).where(task_attempt.c.task_id == task.c.id).scalar_subquery().correlate(task)
        ),
    ),
    (
        "done_twice",
        "has more than one attempt that ended well",
        "task",
        select(task_attempt.c.task_id)
        .where(task_attempt.c.outcome == AttemptOutcome.OK)
        .group_by(task_attempt.c.task_id)
        .having(func.count() > 1),
    ),
    (
        "published_without_success",
        "shows an attempt that did not end well",
        "task",
        _tasks(
            task.c.state == TaskState.DONE,
            ~exists().where(
                task_attempt.c.task_id == task.c.id,
                task_attempt.c.attempt == task.c.published_attempt,
                task_attempt.c.outcome == AttemptOutcome.OK,
            ),
        ),
    ),
    (
        "success_not_published",
        "has an attempt that ended well, but is not done",
        "task",
        _tasks(task.c.state != TaskState.DONE, _ok),
    ),
    (
        "lease_on_resting_task",
        "carries a lease although nobody may work on it, or none although somebody does",
        "task",
        _tasks(
            (task.c.state == TaskState.RUNNING)
            != (task.c.lease_token.is_not(None) & task.c.lease_until.is_not(None) & task.c.worker_id.is_not(None))
        ),
    ),
    (
        "attempt_left_open",
        "has an attempt without an end that nobody is working on",
        "task",
        select(task_attempt.c.task_id)
        .join(task, task.c.id == task_attempt.c.task_id)
        .where(
            task_attempt.c.outcome.is_(None),
            or_(task.c.state != TaskState.RUNNING, task_attempt.c.attempt != task.c.attempt),
        ),
    ),
    (
        "running_without_attempt",
        "is leased by a token that no open attempt has",
        "task",
        _tasks(
            task.c.state == TaskState.RUNNING,
            ~exists().where(_mine, task_attempt.c.token == task.c.lease_token, task_attempt.c.outcome.is_(None)),
        ),
    ),
    (
        "artifact_of_hidden_attempt",
        "lists a file of an attempt that is not the published one",
        "task",
        select(artifact.c.task_id)
        .join(task, task.c.id == artifact.c.task_id)
        .where(or_(task.c.published_attempt.is_(None), artifact.c.attempt != task.c.published_attempt))
        .distinct(),
    ),
    (
        "started_too_early",
        "was begun before everything that it needs was done",
        "task",
        _tasks(task.c.state.in_((TaskState.READY, TaskState.RUNNING, TaskState.DONE)), _blocked_from_the_begin),
    ),
    (
        "waits_for_nothing",
        "waits although everything that it needs is done",
        "task",
        _tasks(task.c.state == TaskState.WAITING, ~_blocked, ~_uploading),
    ),
    (
        "job_without_work",
        "is open, but none of its tasks is",
        "job",
        select(job.c.id).where(
            job.c.state.in_(OPEN_JOB), ~exists().where(task.c.job_id == job.c.id, task.c.state.in_(_OPEN_TASK))
        ),
    ),
    (
        "work_without_job",
        "is open, but its job has ended and nobody told it to stop",
        "task",
        _tasks(
            task.c.state.in_(_OPEN_TASK),
            task.c.cancel_requested.is_(False),
            exists().where(job.c.id == task.c.job_id, job.c.state.not_in(OPEN_JOB)),
        ),
    ),
    (
        "succeeded_with_gaps",
        "succeeded, but not all of its outputs are published, or skipped by its plan",
        "job",
        select(job.c.id).where(
            job.c.state == JobState.SUCCEEDED,
            exists().where(
                output.c.job_id == job.c.id, output.c.state.not_in((OutputState.PUBLISHED, OutputState.SKIPPED))
            ),
        ),
    ),
    (
        "output_without_task",
        "is published, but the task that made it is not done or lies elsewhere",
        "output",
        select(output.c.id).where(
            output.c.state == OutputState.PUBLISHED,
            ~exists().where(
                task.c.id == output.c.task_id, task.c.state == TaskState.DONE, task.c.folder == output.c.folder
            ),
        ),
    ),
    (
        "webhooks_do_not_match",
        "has another number of webhooks than it had events",
        "job",
        select(job.c.id).where(
            job.c.callback_url.is_not(None),
            job.c.events
            != select(func.count())
            .where(outbox.c.job_id == job.c.id, outbox.c.endpoint_id.is_(None))
            .scalar_subquery()
            .correlate(job),
        ),
    ),
)


def audit_rows(database: Database) -> list[Fault]:
    """What is wrong in the database alone."""

    def look(connection: Connection) -> list[Fault]:
        return [
            Fault(code=code, row=f"{table} {row_id}", message=f"{table} {row_id} {what}.")
            for code, what, table, question in _RULES
            for row_id in connection.execute(question).scalars()
        ]

    return database.transact(look)


def audit_files(database: Database, root: Path, *, deep: bool = False) -> Iterator[Fault]:
    """What is wrong between the rows and the share at `root`: promised files that are missing or altered, left-overs.

    `deep` reads every file and compares its checksum.
    """
    for file in database.fetch(_promised):
        name = f"{file.folder}/{file.path}"
        code = _file_fault(root / name, file.bytes, file.sha256, deep=deep)
        if code is not None:
            yield Fault(code=code, row=name, message=f"{name} is {code.removeprefix('file_')}.")
    folders = set(database.fetch(_swept_folders))
    for parent in sorted({PurePosixPath(folder).parent for folder in folders}):
        for found in sorted((root / parent).iterdir()) if (root / parent).is_dir() else ():
            name = found.relative_to(root).as_posix()
            if name not in folders:
                yield Fault(code="left_over", row=name, message=f"{name} belongs to no published attempt.")


def audit(database: Database, root: Path, *, deep: bool = False) -> list[Fault]:
    """Everything that is wrong; an empty list when the farm keeps its promises."""
    return [*audit_rows(database), *audit_files(database, root, deep=deep)]


def _file_fault(path: Path, size: int, sha256: str, *, deep: bool) -> str | None:
    if not path.is_file():
        return "file_missing"
    if path.stat().st_size != size:
        return "file_altered"
    if deep:
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
                return "file_altered"
    return None


def _promised(connection: Connection) -> list[Row[Any, Any, Any, Any]]:
    question = (
        select(output.c.folder, artifact.c.path, artifact.c.bytes, artifact.c.sha256)
        .join(artifact, artifact.c.task_id == output.c.task_id)
        .where(output.c.state == OutputState.PUBLISHED)
        .order_by(artifact.c.task_id, artifact.c.path)
    )
    return list(connection.execute(question).all())


def _swept_folders(connection: Connection) -> list[str]:
    # In other jobs, what attempts in vain left behind is removed by the sweep, in its own time.
    question = (
        select(output.c.folder)
        .join(job, job.c.id == output.c.job_id)
        .where(job.c.state == JobState.SUCCEEDED, job.c.swept.is_(True), output.c.state == OutputState.PUBLISHED)
    )
    return list(connection.execute(question).scalars())
