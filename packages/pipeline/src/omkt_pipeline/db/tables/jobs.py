"""Jobs and what they are to give."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Double, Index, Text
from sqlmodel import Field, SQLModel

from omkt_pipeline.db.columns import moment, numbered, table_of
from omkt_pipeline.db.types import BigKey


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
    #: The same, of outputs that were asked for later; see queue/adding.py.
    added: list[Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    callback_url: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    #: How the callback is told: domain/job.py's CallbackKind.
    callback_kind: str = Field(default="webhook", max_length=8, sa_column_kwargs={"server_default": "webhook"})
    #: The types of events that the callback hears of; none: the job's ends.
    callback_types: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
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
    #: What makes it of the source: planning/repeats.py.
    recipe: str | None = Field(default=None, max_length=64)
    kind: str = Field(max_length=16)
    state: str = Field(max_length=16)
    task_id: int | None = Field(default=None, sa_column=Column(BigKey, nullable=True))
    folder: str | None = Field(default=None, max_length=255)
    entry: str | None = Field(default=None, max_length=255)
    bytes: int | None = Field(default=None, sa_column=Column(BigKey, nullable=True))
    result: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    __table_args__ = (Index("u_output", "job_id", "output_key", unique=True),)


job = table_of(JobRow)
output = table_of(OutputRow)
