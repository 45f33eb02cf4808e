"""What became of a job's webhooks, for people; and to send one again."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import delivery, job, outbox
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.errors import Conflict, NotFound
from omkt_pipeline.queue.outbox import MessageState


@dataclass(frozen=True, kw_only=True)
class DeliveryView:
    """One try."""

    at: datetime
    status: int | None  #: the receiver's; None when nobody answered
    error: str | None
    seconds: float


@dataclass(frozen=True, kw_only=True)
class MessageView:
    """One webhook with its tries."""

    message_id: str
    topic: str
    url: str
    body: dict[str, Any]
    state: MessageState
    created_at: datetime
    next_try_at: datetime | None
    deliveries: tuple[DeliveryView, ...] = field(default=())


def messages_of(database: Database, account_id: int, job_key: str) -> list[MessageView]:
    """The webhooks of a job in the order of what they tell, with every try. Raises NotFound."""

    def look(connection: Connection) -> list[MessageView]:
        job_id = _job_id(connection, account_id, job_key)
        rows = connection.execute(select(outbox).where(outbox.c.job_id == job_id).order_by(outbox.c.id)).all()
        tries = connection.execute(
            select(delivery)
            .where(delivery.c.outbox_id.in_([row.id for row in rows]))
            .order_by(delivery.c.outbox_id, delivery.c.id)
        ).all()
        return [
            MessageView(
                message_id=row.message_id,
                topic=row.topic,
                url=row.url,
                body=dict(row.body),
                state=MessageState(row.state),
                created_at=row.created_at,
                next_try_at=row.run_at if row.state == MessageState.DUE else None,
                deliveries=tuple(
                    DeliveryView(at=one.at, status=one.status, error=one.error, seconds=one.seconds)
                    for one in tries
                    if one.outbox_id == row.id
                ),
            )
            for row in rows
        ]

    return database.fetch(look)


def replay(database: Database, account_id: int, job_key: str, message_id: str) -> None:
    """Send a webhook again, under its old id, with all its tries. Raises NotFound, Conflict (webhook_under_way)."""

    def write(connection: Connection) -> None:
        job_id = _job_id(connection, account_id, job_key)
        mine = (outbox.c.message_id == message_id, outbox.c.job_id == job_id)
        if connection.execute(select(outbox.c.id).where(*mine)).first() is None:
            raise NotFound("The job has no such webhook.", code="webhook_unknown")
        matched = connection.execute(
            update(outbox)
            .where(*mine, outbox.c.state != MessageState.SENDING)
            .values(state=MessageState.DUE, tries=0, run_at=now())
        ).rowcount
        if not matched:
            raise Conflict("This webhook is being sent in this moment.", code="webhook_under_way")

    database.transact(write)


def _job_id(connection: Connection, account_id: int, job_key: str) -> int:
    found = connection.execute(
        select(job.c.id).where(job.c.job_key == job_key, job.c.account_id == account_id)
    ).scalar()
    if found is None:
        raise NotFound(f"There is no job {job_key}.", code="job_unknown")
    return int(found)
