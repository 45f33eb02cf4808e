"""Who uses the farm, and what was done in whose name."""

from datetime import datetime

from sqlalchemy import Boolean, Column, Double, Index, false
from sqlmodel import Field, SQLModel

from omkt_pipeline.db.columns import moment, numbered, table_of
from omkt_pipeline.db.types import BigKey


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
    max_running: int | None = Field(default=None)
    created_at: datetime = moment()


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


class IdempotencyRow(SQLModel, table=True):
    __tablename__ = "idempotency"
    account_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    request_key: str = Field(primary_key=True, max_length=128)
    fingerprint: str = Field(max_length=64)
    job_id: int = Field(sa_column=Column(BigKey, nullable=False))
    created_at: datetime = moment()
    __table_args__ = (Index("k_idempotency_age", "created_at"),)


class TrailRow(SQLModel, table=True):
    """Something that somebody changed: who, from where, what. Rows are added and, when they are old, removed; never changed."""

    __tablename__ = "trail"
    id: int | None = numbered()
    #: None: on the main host's command line, by whoever may run it.
    account_id: int | None = Field(default=None)
    key_id: str | None = Field(default=None, max_length=16)
    address: str | None = Field(default=None, max_length=64)
    action: str = Field(max_length=48)
    target: str = Field(max_length=255)
    at: datetime = moment()
    __table_args__ = (Index("k_trail_account", "account_id", "id"), Index("k_trail_age", "at"))


account = table_of(AccountRow)
fair_share = table_of(FairShareRow)
api_key = table_of(ApiKeyRow)
idempotency = table_of(IdempotencyRow)
trail = table_of(TrailRow)
