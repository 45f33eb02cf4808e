"""Sources and how they arrive."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, Text
from sqlmodel import Field, SQLModel

from omkt_pipeline.db.columns import moment, numbered, table_of
from omkt_pipeline.db.types import BigKey, Token


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
        Index("k_media_content", "account_id", "sha256"),
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


media = table_of(MediaRow)
upload = table_of(UploadRow)
