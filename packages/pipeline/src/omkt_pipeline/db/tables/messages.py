"""What happened, and who is told of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Double, Index, Text
from sqlmodel import Field, SQLModel

from omkt_pipeline.db.columns import moment, numbered, table_of
from omkt_pipeline.db.types import BigKey, Token


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


event = table_of(EventRow)
webhook_endpoint = table_of(EndpointRow)
outbox = table_of(OutboxRow)
delivery = table_of(DeliveryRow)
