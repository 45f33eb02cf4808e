"""Units of work, every attempt at them, and what they left."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, Double, Index, SmallInteger, Text
from sqlmodel import Field, SQLModel

from omkt_pipeline.db.columns import moment, numbered, table_of
from omkt_pipeline.db.types import BigKey, Token


class TaskRow(SQLModel, table=True):
    """One unit of work. `attempt` only ever grows: it is the fence."""

    __tablename__ = "task"
    id: int | None = numbered()
    job_id: int = Field(sa_column=Column(BigKey, nullable=False))
    job_key: str = Field(max_length=26)
    media_id: int = Field(sa_column=Column(BigKey, nullable=False))
    account_id: int
    kind: str = Field(max_length=16)
    plan_key: str = Field(max_length=64)
    output_key: str | None = Field(default=None, max_length=64)
    pool: int
    spec: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    #: Which workers understand it: those of domain/task.py's SPEC_VERSION or above.
    spec_version: int = Field(default=1, sa_column=Column(SmallInteger, nullable=False, server_default="1"))
    state: int
    band: int
    fair_key: float = Field(sa_column=Column(Double, nullable=False))
    cost: float = Field(sa_column=Column(Double, nullable=False))
    run_at: datetime = moment()
    attempt: int = Field(default=0)
    failures: int = Field(default=0)
    losses: int = Field(default=0)
    lease_token: bytes | None = Field(default=None, sa_column=Column(Token, nullable=True))
    lease_until: datetime | None = moment(nullable=True)
    worker_id: int | None = Field(default=None, sa_column=Column(BigKey, nullable=True))
    avoid_host: str | None = Field(default=None, max_length=255)
    progress: float = Field(default=0.0, sa_column=Column(Double, nullable=False))
    cancel_requested: bool = Field(default=False)
    #: The other start of the same work; see queue/twins.py.
    twin_id: int | None = Field(default=None, sa_column=Column(BigKey, nullable=True))
    published_attempt: int | None = Field(default=None)
    folder: str | None = Field(default=None, max_length=255)
    facts: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    reason: str | None = Field(default=None, max_length=64)
    message: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    created_at: datetime = moment()
    finished_at: datetime | None = moment(nullable=True)
    __table_args__ = (
        CheckConstraint("(state = 3) = (lease_token IS NOT NULL)", name="leased_exactly_while_running"),
        CheckConstraint("(state = 4) = (published_attempt IS NOT NULL)", name="published_exactly_when_done"),
        # Serves the claim, left to right: equalities first, then the order.
        Index("k_claim", "state", "pool", "band", "fair_key", "id"),
        Index("k_lease", "state", "lease_until", "id"),
        Index("k_due", "state", "run_at", "id"),
        Index("k_task_job", "job_id", "id"),
    )


class TaskEdgeRow(SQLModel, table=True):
    """`task_id` waits for `needs_id`."""

    __tablename__ = "task_edge"
    task_id: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    needs_id: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    __table_args__ = (Index("k_edge_needs", "needs_id", "task_id"),)


class TaskAttemptRow(SQLModel, table=True):
    """The history of attempts: rows are added and ended, never removed while their task lives."""

    __tablename__ = "task_attempt"
    task_id: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    attempt: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    token: bytes = Field(sa_column=Column(Token, nullable=False, unique=True))
    worker_id: int = Field(sa_column=Column(BigKey, nullable=False))
    host: str = Field(max_length=255)
    started_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)
    outcome: str | None = Field(default=None, max_length=16)
    error_code: str | None = Field(default=None, max_length=64)
    message: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    log_tail: str | None = Field(default=None, sa_column=Column(Text, nullable=True))


class ArtifactRow(SQLModel, table=True):
    """One file of the published attempt of a task."""

    __tablename__ = "artifact"
    id: int | None = numbered()
    task_id: int = Field(sa_column=Column(BigKey, nullable=False))
    attempt: int
    path: str = Field(max_length=255)
    bytes: int = Field(sa_column=Column(BigKey, nullable=False))
    sha256: str = Field(max_length=64)
    __table_args__ = (Index("u_artifact", "task_id", "path", unique=True),)


task = table_of(TaskRow)
task_edge = table_of(TaskEdgeRow)
task_attempt = table_of(TaskAttemptRow)
artifact = table_of(ArtifactRow)
