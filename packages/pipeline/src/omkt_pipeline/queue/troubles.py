"""What went wrong on the whole farm, for its operators, and how full it is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import account, job, media, output, task, task_attempt
from omkt_pipeline.domain.job import OutputState, SourceKind
from omkt_pipeline.domain.task import TaskKind, TaskState


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A task that failed for good."""

    id: int
    account: str
    account_id: int
    job_key: str
    kind: TaskKind
    reason: str | None
    message: str | None
    host: str | None  #: of its last attempt
    log_tail: str | None  #: the tool's last words there
    failures: int
    losses: int  #: attempts whose worker died or was cut off
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What one account has on the share."""

    account: str
    original_bytes: int
    result_bytes: int


def troubles(database: Database, *, limit: int, before: int | None = None) -> list[Trouble]:
    """Failed tasks of all accounts, newest first."""
    question = (
        select(task, account.c.name.label("account_name"), task_attempt.c.host, task_attempt.c.log_tail)
        .join(account, account.c.id == task.c.account_id)
        .outerjoin(task_attempt, (task_attempt.c.task_id == task.c.id) & (task_attempt.c.attempt == task.c.attempt))
        .where(task.c.state == TaskState.FAILED)
        .order_by(task.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        question = question.where(task.c.id < before)
    return [
        Trouble(
            id=row.id,
            account=row.account_name,
            account_id=row.account_id,
            job_key=row.job_key,
            kind=TaskKind(row.kind),
            reason=row.reason,
            message=row.message,
            host=row.host,
            log_tail=row.log_tail,
            failures=row.failures,
            losses=row.losses,
            at=row.finished_at,
        )
        for row in database.fetch(lambda connection: connection.execute(question).all())
    ]


def stored(database: Database) -> list[Stored]:
    """Bytes on the share by account, most first. Reads all media and outputs."""

    def look(connection: Connection) -> list[Stored]:
        names = {row.id: row.name for row in connection.execute(select(account.c.id, account.c.name)).all()}
        originals = select(media.c.account_id, func.sum(media.c.bytes).label("bytes")).where(
            media.c.path.is_not(None), media.c.source_kind != SourceKind.PATH
        )
        results = (
            select(job.c.account_id, func.sum(output.c.bytes).label("bytes"))
            .join(output, output.c.job_id == job.c.id)
            .where(output.c.state == OutputState.PUBLISHED)
        )
        brought = {
            row.account_id: int(row.bytes or 0)
            for row in connection.execute(originals.group_by(media.c.account_id)).all()
        }
        made = {
            row.account_id: int(row.bytes or 0) for row in connection.execute(results.group_by(job.c.account_id)).all()
        }
        return [
            Stored(account=names[one], original_bytes=brought.get(one, 0), result_bytes=made.get(one, 0))
            for one in names
            if one in brought or one in made
        ]

    return sorted(database.fetch(look), key=lambda one: -(one.original_bytes + one.result_bytes))
