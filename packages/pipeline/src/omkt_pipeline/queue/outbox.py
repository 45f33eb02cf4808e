"""The outbox: webhooks that are written in the transaction they tell of, delivered later, and never invented."""

import os
import uuid
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import account, delivery, job, outbox
from omkt_pipeline.db.types import now, now_plus
from omkt_pipeline.domain.job import CallbackKind


class MessageState(IntEnum):
    """Where a webhook stands."""

    DUE = 0
    SENDING = 1
    DELIVERED = 2
    GIVEN_UP = 3


@dataclass(frozen=True, kw_only=True)
class DueMessage:
    """A webhook that this process may try to deliver now; `token` is its lease."""

    id: int
    message_id: str
    url: str
    secret: str
    topic: str
    body: dict[str, Any]
    tries: int  #: tries before this one
    token: bytes


def announce(connection: Connection, job_id: int, topic: str) -> None:
    """Write the webhook for a change of a job, if its client wants to hear of it. One id for each change."""
    row = connection.execute(
        select(
            job.c.job_key,
            job.c.account_id,
            job.c.callback_url,
            job.c.callback_kind,
            job.c.client_data,
            job.c.state,
            job.c.error_code,
            job.c.error_message,
            job.c.events,
        ).where(job.c.id == job_id)
    ).one()
    connection.execute(update(job).where(job.c.id == job_id).values(events=job.c.events + 1))
    if row.callback_url is None:
        return
    error = {"code": row.error_code, "message": row.error_message} if row.error_code else None
    connection.execute(
        insert(outbox).values(
            account_id=row.account_id,
            job_id=job_id,
            message_id=f"msg_{uuid.uuid4().hex}",
            topic=topic if row.callback_kind == CallbackKind.WEBHOOK else f"{row.callback_kind}.{topic}",
            url=row.callback_url,
            body={
                "type": topic,
                "data": {
                    "job": row.job_key,
                    "state": row.state,
                    "error": error,
                    "client_data": row.client_data,
                    "sequence": row.events + 1,
                },
            },
            state=MessageState.DUE,
            tries=0,
            run_at=now(),
            created_at=now(),
        )
    )


def claim_due(database: Database, *, limit: int, lease_seconds: float) -> list[DueMessage]:
    """Take due webhooks, oldest first, for `lease_seconds`; one whose sender died is due again after that."""
    token = os.urandom(16)

    def take(connection: Connection) -> list[DueMessage]:
        messages: list[DueMessage] = []
        # Each state on its own: an equality keeps the claim inside the index.
        for state in (MessageState.DUE, MessageState.SENDING):
            rows = connection.execute(_due(state, limit - len(messages))).all() if len(messages) < limit else []
            for row in rows:
                connection.execute(
                    update(outbox)
                    .where(outbox.c.id == row.id)
                    .values(state=MessageState.SENDING, lease_token=token, run_at=now_plus(lease_seconds))
                )
            messages += [_message(connection, row, token) for row in rows]
        return messages

    return database.transact(take)


def _due(state: int, limit: int) -> Any:
    return (
        select(outbox)
        .with_hint(outbox, "FORCE INDEX (k_outbox_due)", "mysql")
        .with_hint(outbox, "FORCE INDEX (k_outbox_due)", "mariadb")
        .where(outbox.c.state == state, outbox.c.run_at <= now())
        .order_by(outbox.c.run_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def _message(connection: Connection, row: Any, token: bytes) -> DueMessage:
    secret = connection.execute(select(account.c.webhook_secret).where(account.c.id == row.account_id)).scalar_one()
    return DueMessage(
        id=row.id,
        message_id=row.message_id,
        url=row.url,
        secret=secret,
        topic=row.topic,
        body=dict(row.body) | {"timestamp": row.created_at.isoformat()},
        tries=row.tries,
        token=token,
    )


def record_delivered(database: Database, message: DueMessage, *, status: int, seconds: float) -> None:
    """The receiver has it."""
    _record(database, message, {"state": MessageState.DELIVERED}, status=status, error=None, seconds=seconds)


def record_failed(
    database: Database,
    message: DueMessage,
    *,
    status: int | None,
    error: str,
    seconds: float,
    next_in_seconds: float | None,
) -> None:
    """The receiver does not have it: try again later, or give up when `next_in_seconds` is None."""
    values: dict[str, Any] = (
        {"state": MessageState.GIVEN_UP}
        if next_in_seconds is None
        else {"state": MessageState.DUE, "run_at": now_plus(next_in_seconds)}
    )
    _record(database, message, values, status=status, error=error, seconds=seconds)


def _record(
    database: Database,
    message: DueMessage,
    values: dict[str, Any],
    *,
    status: int | None,
    error: str | None,
    seconds: float,
) -> None:
    def write(connection: Connection) -> None:
        matched = connection.execute(
            update(outbox)
            .where(
                outbox.c.id == message.id, outbox.c.state == MessageState.SENDING, outbox.c.lease_token == message.token
            )
            .values(tries=outbox.c.tries + 1, lease_token=None, **values)
        ).rowcount
        if matched:
            connection.execute(
                insert(delivery).values(
                    outbox_id=message.id,
                    at=now(),
                    status=status,
                    error=error[:255] if error else None,
                    seconds=seconds,
                )
            )

    database.transact(write)


class Outbox:
    """The outbox bound to a database, as the sender of webhooks wants it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim_due(self, *, limit: int, lease_seconds: float) -> list[DueMessage]:
        """See the function of this name."""
        return claim_due(self._database, limit=limit, lease_seconds=lease_seconds)

    def record_delivered(self, message: DueMessage, *, status: int, seconds: float) -> None:
        """See the function of this name."""
        record_delivered(self._database, message, status=status, seconds=seconds)

    def record_failed(
        self, message: DueMessage, *, status: int | None, error: str, seconds: float, next_in_seconds: float | None
    ) -> None:
        """See the function of this name."""
        record_failed(
            self._database, message, status=status, error=error, seconds=seconds, next_in_seconds=next_in_seconds
        )
