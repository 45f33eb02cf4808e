"""The rows of the original's clients. Imported by db/ and queue/ and by nothing else."""

from datetime import datetime

from sqlalchemy import JSON, Column, Index, Text
from sqlmodel import Field, SQLModel

from omkt_pipeline.db.columns import moment, numbered, table_of
from omkt_pipeline.db.types import BigKey


class WireClientRow(SQLModel, table=True):
    """An account as the original's API knows it: who calls, and who is called back."""

    __tablename__ = "wire_client"
    account_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    email: str = Field(max_length=190, unique=True)
    url: str = Field(sa_column=Column(Text, nullable=False))
    app_key: str = Field(max_length=32)  #: the client's own secret, which we present to it
    key_sha256: str = Field(max_length=64, unique=True)
    adapters: list[str] = Field(sa_column=Column(JSON, nullable=False))
    enabled: bool
    validated_at: datetime | None = moment(nullable=True)
    token_sha256: str | None = Field(default=None, max_length=64, unique=True)
    token_until: datetime | None = moment(nullable=True)
    seen_at: datetime = moment()
    cron_at: datetime | None = moment(nullable=True)
    cron_ok_at: datetime | None = moment(nullable=True)
    cron_due_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()
    __table_args__ = (Index("k_wire_cron", "cron_due_at"), Index("k_wire_seen", "enabled", "seen_at"))


class WireMediaRow(SQLModel, table=True):
    """A client's media under the number that the client gave it, and the job that brings and probes it."""

    __tablename__ = "wire_media"
    id: int | None = numbered()
    account_id: int
    remote_id: int = Field(sa_column=Column(BigKey, nullable=False))
    url: str = Field(sa_column=Column(Text, nullable=False))
    adapter: str = Field(max_length=16)
    job_id: int = Field(sa_column=Column(BigKey, nullable=False, index=True))
    created_at: datetime = moment()
    __table_args__ = (Index("u_wire_media", "account_id", "remote_id", unique=True),)


class WireFormatRow(SQLModel, table=True):
    """A setting that a client asked for, and the job that makes it."""

    __tablename__ = "wire_format"
    id: int | None = numbered()
    wire_media_id: int = Field(sa_column=Column(BigKey, nullable=False))
    setting: int
    job_id: int = Field(sa_column=Column(BigKey, nullable=False, index=True))
    __table_args__ = (Index("u_wire_format", "wire_media_id", "setting", unique=True),)


class WireApplicationRow(SQLModel, table=True):
    """A program that called; refused from now on when denied."""

    __tablename__ = "wire_application"
    name: str = Field(primary_key=True, max_length=64)
    version: str = Field(primary_key=True, max_length=32)
    denied: bool
    seen_at: datetime = moment()


wire_client, wire_media = table_of(WireClientRow), table_of(WireMediaRow)
wire_format, wire_application = table_of(WireFormatRow), table_of(WireApplicationRow)
