"""The rows. Imported by db/ and queue/ and by nothing else; rows are never a client's input."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, Double, Index, SmallInteger, Text, false
from sqlmodel import Field, SQLModel

from omkt_pipeline.db.columns import moment, numbered, table_of
from omkt_pipeline.db.types import BigKey, Token


class FarmRow(SQLModel, table=True):
    """The one row that says which farm this database belongs to."""

    __tablename__ = "farm"
    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    farm_id: str = Field(max_length=36)
    link_key: bytes = Field(sa_column=Column(Token, nullable=False))
    created_at: datetime = moment()
    #: What the main host last found its NFS server to export; see domain/exports.py.
    exports: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    exports_at: datetime | None = moment(nullable=True)
    #: Names of the pools that the operator paused; see queue/maintenance.py.
    paused: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    #: The oldest revision whose programs may work with this schema; see db/revision.py.
    oldest_revision: str = Field(max_length=32)


class AccountRow(SQLModel, table=True):
    __tablename__ = "account"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=64, unique=True)
    weight: float = Field(default=1.0, sa_column=Column(Double, nullable=False))
    webhook_secret: str = Field(max_length=128)
    operator: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    #: Quotas; None: no limit. See queue/quotas.py.
    max_bytes: int | None = Field(default=None, sa_column=Column(BigKey, nullable=True))
    max_upload_bytes: int | None = Field(default=None, sa_column=Column(BigKey, nullable=True))
    max_daily_minutes: float | None = Field(default=None, sa_column=Column(Double, nullable=True))
    created_at: datetime = moment()


class PresetRow(SQLModel, table=True):
    """A preset of the farm's own, beside those that come with it; see queue/presets.py."""

    __tablename__ = "preset"
    id: str = Field(primary_key=True, max_length=63)
    version: int
    body: dict[str, Any] = Field(sa_column=Column(JSON(none_as_null=True), nullable=False))
    changed_at: datetime = moment()


class FairShareRow(SQLModel, table=True):
    """An account's virtual time in one pool; see queue/fair.py."""

    __tablename__ = "fair_share"
    account_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    pool: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    vtime: float = Field(default=0.0, sa_column=Column(Double, nullable=False))


class ApiKeyRow(SQLModel, table=True):
    __tablename__ = "api_key"
    id: str = Field(primary_key=True, max_length=16)
    account_id: int = Field(index=True)
    name: str = Field(max_length=64)
    secret_sha256: str = Field(max_length=64)
    scope: str = Field(default="admin", max_length=16)
    expires_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()
    used_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)


class MediaRow(SQLModel, table=True):
    __tablename__ = "media"
    id: int | None = numbered()
    media_key: str = Field(max_length=26, unique=True)
    account_id: int
    source_kind: str = Field(max_length=8)
    source: str = Field(sa_column=Column(Text, nullable=False))
    name: str | None = Field(default=None, max_length=255)
    path: str | None = Field(default=None, max_length=1100)
    bytes: int | None = Field(default=None, sa_column=Column(BigKey, nullable=True))
    sha256: str | None = Field(default=None, max_length=64)
    state: int
    facts: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    raw_probe: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    #: When its original goes, by its owner's word; without one, by the farm's rule.
    keep_until: datetime | None = moment(nullable=True)
    created_at: datetime = moment()
    __table_args__ = (
        Index("k_media_expiry", "state", "keep_until", "created_at"),
        Index("k_media_account", "account_id", "id"),
    )


class UploadRow(SQLModel, table=True):
    """A resumable upload that is not whole yet. `received` only grows, and only for the holder of the lease."""

    __tablename__ = "upload"
    media_id: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    length: int = Field(sa_column=Column(BigKey, nullable=False))
    received: int = Field(default=0, sa_column=Column(BigKey, nullable=False))
    metadata_text: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    lease_token: bytes | None = Field(default=None, sa_column=Column(Token, nullable=True))
    lease_until: datetime | None = moment(nullable=True)
    expires_at: datetime = moment()
    __table_args__ = (Index("k_upload_expiry", "expires_at"),)


class JobRow(SQLModel, table=True):
    __tablename__ = "job"
    id: int | None = numbered()
    job_key: str = Field(max_length=26, unique=True)
    account_id: int
    media_id: int = Field(sa_column=Column(BigKey, nullable=False))
    state: str = Field(max_length=16)
    band: int
    #: Names of presets, or objects of what is changed of one (domain/job.py's Variation).
    presets: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    callback_url: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    #: How the callback is told: domain/job.py's CallbackKind.
    callback_kind: str = Field(default="webhook", max_length=8, sa_column_kwargs={"server_default": "webhook"})
    client_data: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    tags: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    not_before: datetime | None = moment(nullable=True)
    deadline: datetime | None = moment(nullable=True)
    decisions: list[Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    error_code: str | None = Field(default=None, max_length=64)
    error_message: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    events: int = Field(default=0)
    #: Minutes of source that its outputs are made of; written with its plan.
    minutes: float | None = Field(default=None, sa_column=Column(Double, nullable=True))
    swept: bool = Field(default=False)
    created_at: datetime = moment()
    started_at: datetime | None = moment(nullable=True)
    finished_at: datetime | None = moment(nullable=True)
    __table_args__ = (
        Index("k_job_account", "account_id", "id"),
        Index("k_job_account_state", "account_id", "state", "id"),
        Index("k_job_media", "media_id"),
        Index("k_job_ended", "state", "finished_at"),
        Index("k_job_sweep", "swept", "state", "id"),
        Index("k_job_deadline", "state", "deadline"),
    )


class OutputRow(SQLModel, table=True):
    __tablename__ = "output"
    id: int | None = numbered()
    job_id: int = Field(sa_column=Column(BigKey, nullable=False))
    output_key: str = Field(max_length=64)
    preset: str = Field(max_length=64)
    preset_version: int
    kind: str = Field(max_length=16)
    state: str = Field(max_length=16)
    task_id: int | None = Field(default=None, sa_column=Column(BigKey, nullable=True))
    folder: str | None = Field(default=None, max_length=255)
    entry: str | None = Field(default=None, max_length=255)
    bytes: int | None = Field(default=None, sa_column=Column(BigKey, nullable=True))
    result: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    __table_args__ = (Index("u_output", "job_id", "output_key", unique=True),)


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


class HostRow(SQLModel, table=True):
    """A machine, by its unique name. `identity` is a random text that all its containers share."""

    __tablename__ = "host"
    name: str = Field(primary_key=True, max_length=255)
    identity: str | None = Field(default=None, max_length=64)
    ordered: str | None = Field(default=None, max_length=16)
    database_user: str | None = Field(default=None, max_length=32)
    invited_at: datetime | None = moment(nullable=True)
    joined_at: datetime | None = moment(nullable=True)


class WorkerRow(SQLModel, table=True):
    """One daemon process, known by a random number that it draws at start."""

    __tablename__ = "worker"
    id: int | None = numbered()
    boot_id: bytes = Field(sa_column=Column(Token, nullable=False, unique=True))
    host: str = Field(max_length=255)
    pool: int
    version: str = Field(max_length=32)
    state: str = Field(max_length=16)
    note: str | None = Field(default=None, max_length=255)
    slots: int
    facts: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    started_at: datetime = moment()
    seen_at: datetime = moment()
    __table_args__ = (Index("k_worker_seen", "state", "seen_at"),)


class IdempotencyRow(SQLModel, table=True):
    __tablename__ = "idempotency"
    account_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    request_key: str = Field(primary_key=True, max_length=128)
    fingerprint: str = Field(max_length=64)
    job_id: int = Field(sa_column=Column(BigKey, nullable=False))
    created_at: datetime = moment()
    __table_args__ = (Index("k_idempotency_age", "created_at"),)


class OutboxRow(SQLModel, table=True):
    """A webhook to be delivered; written in the transaction that it tells of."""

    __tablename__ = "outbox"
    id: int | None = numbered()
    account_id: int
    job_id: int = Field(sa_column=Column(BigKey, nullable=False))
    message_id: str = Field(max_length=36, unique=True)
    topic: str = Field(max_length=48)
    url: str = Field(sa_column=Column(Text, nullable=False))
    #: The account's endpoint that it goes to; None for a job's own callback.
    endpoint_id: int | None = Field(default=None)
    body: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    state: int
    tries: int = Field(default=0)
    run_at: datetime = moment()
    lease_token: bytes | None = Field(default=None, sa_column=Column(Token, nullable=True))
    created_at: datetime = moment()
    __table_args__ = (Index("k_outbox_due", "state", "run_at", "id"), Index("k_outbox_job", "job_id", "id"))


class EventRow(SQLModel, table=True):
    """Something that happened to a job, in the order in which an account's listeners hear of it."""

    __tablename__ = "event"
    id: int | None = numbered()
    account_id: int
    job_id: int = Field(sa_column=Column(BigKey, nullable=False))
    topic: str = Field(max_length=48)
    body: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = moment()
    __table_args__ = (Index("k_event_account", "account_id", "id"), Index("k_event_age", "created_at", "id"))


class EndpointRow(SQLModel, table=True):
    """An address of an account that hears of all its jobs."""

    __tablename__ = "webhook_endpoint"
    id: int | None = Field(default=None, primary_key=True)
    endpoint_key: str = Field(max_length=26, unique=True)
    account_id: int = Field(index=True)
    url: str = Field(sa_column=Column(Text, nullable=False))
    topics: list[str] = Field(sa_column=Column(JSON, nullable=False))
    secret: str = Field(max_length=128)
    enabled: bool
    failing_since: datetime | None = moment(nullable=True)
    created_at: datetime = moment()


class DeliveryRow(SQLModel, table=True):
    """One try to deliver a webhook, for people."""

    __tablename__ = "delivery"
    id: int | None = numbered()
    outbox_id: int = Field(sa_column=Column(BigKey, nullable=False))
    at: datetime = moment()
    status: int | None = Field(default=None)
    error: str | None = Field(default=None, max_length=255)
    seconds: float = Field(sa_column=Column(Double, nullable=False))
    __table_args__ = (Index("k_delivery_outbox", "outbox_id", "id"),)


farm, account, fair_share, api_key = (
    table_of(FarmRow),
    table_of(AccountRow),
    table_of(FairShareRow),
    table_of(ApiKeyRow),
)
media, job, output, task = table_of(MediaRow), table_of(JobRow), table_of(OutputRow), table_of(TaskRow)
upload = table_of(UploadRow)
task_edge, task_attempt, artifact = table_of(TaskEdgeRow), table_of(TaskAttemptRow), table_of(ArtifactRow)
host, worker, idempotency = table_of(HostRow), table_of(WorkerRow), table_of(IdempotencyRow)
outbox, delivery = table_of(OutboxRow), table_of(DeliveryRow)
preset = table_of(PresetRow)
event, webhook_endpoint = table_of(EventRow), table_of(EndpointRow)
