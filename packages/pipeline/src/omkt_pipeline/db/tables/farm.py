"""The farm itself and its machines."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from omkt_pipeline.db.columns import moment, numbered, table_of
from omkt_pipeline.db.types import Token


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
    #: Settings that the operator changed while it runs: domain/steering.py as JSON.
    steering: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    #: The oldest revision whose programs may work with this schema; see db/revision.py.
    oldest_revision: str = Field(max_length=32)


class PresetRow(SQLModel, table=True):
    """A preset of the farm's own, beside those that come with it; see queue/presets.py."""

    __tablename__ = "preset"
    id: str = Field(primary_key=True, max_length=63)
    version: int
    body: dict[str, Any] = Field(sa_column=Column(JSON(none_as_null=True), nullable=False))
    changed_at: datetime = moment()


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


farm = table_of(FarmRow)
preset = table_of(PresetRow)
host = table_of(HostRow)
worker = table_of(WorkerRow)
