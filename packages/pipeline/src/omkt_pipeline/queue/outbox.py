"""The outbox: webhooks that are written in the transaction they tell of, delivered later, and never invented."""

import os
import uuid
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import account, delivery, event, job, outbox, webhook_endpoint
from omkt_pipeline.db.types import now, now_plus
from omkt_pipeline.domain.job import CallbackKind
from omkt_pipeline.queue.endpoints import note_result


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
    endpoint_id: int | None = None  #: of the account's endpoint that it goes to


def announce(connection: Connection, job_id: int, topic: str, **more: str) -> None:
    """Write what happened to a job, in the transaction that makes it true, for everybody who wants to hear of it.

    That are the account's listeners, its endpoints, and the job's own callback, which hears of the job's end alone unless
    it names other types of events. Each message has an id of its own. `more` is what the topic has to say beside the job.
    """
    row = connection.execute(
        select(
            job.c.job_key,
            job.c.account_id,
            job.c.callback_url,
            job.c.callback_kind,
            job.c.callback_types,
            job.c.client_data,
            job.c.state,
            job.c.error_code,
            job.c.error_message,
            job.c.events,
        ).where(job.c.id == job_id)
    ).one()
    ends = topic.startswith("job.")
    if ends:
        connection.execute(update(job).where(job.c.id == job_id).values(events=job.c.events + 1))
    said = {
        "job": row.job_key,
        "state": row.state,
        "error": {"code": row.error_code, "message": row.error_message} if row.error_code else None,
        "client_data": row.client_data,
        "sequence": row.events + 1,
        **more,
    }
    noted = connection.execute(
        insert(event).values(account_id=row.account_id, job_id=job_id, topic=topic, body=said, created_at=now())
    )
    assert noted.inserted_primary_key is not None  # noqa: S101 - one row, one key
    message = {"account_id": row.account_id, "job_id": job_id, "event": int(noted.inserted_primary_key[0])}
    wanted = topic in row.callback_types if row.callback_types else ends
    if wanted and row.callback_url is not None:
        kind = "" if row.callback_kind == CallbackKind.WEBHOOK else f"{row.callback_kind}."
        _post(connection, message, kind + topic, row.callback_url, said)
    endpoints = select(webhook_endpoint.c.id, webhook_endpoint.c.url, webhook_endpoint.c.topics).where(
        webhook_endpoint.c.account_id == row.account_id, webhook_endpoint.c.enabled.is_(True)
    )
    for one in connection.execute(endpoints).all():
        if not one.topics or topic in one.topics:
            _post(connection, message, topic, one.url, said, endpoint_id=one.id)


def _post(
    connection: Connection,
    message: dict[str, int],
    topic: str,
    url: str,
    said: dict[str, Any],
    *,
    endpoint_id: int | None = None,
) -> None:
    connection.execute(
        insert(outbox).values(
            account_id=message["account_id"],
            job_id=message["job_id"],
            message_id=f"msg_{uuid.uuid4().hex}",
            topic=topic,
            url=url,
            endpoint_id=endpoint_id,
            body={"type": topic, "event": message["event"], "data": said},
            state=MessageState.DUE,
            tries=0,
            run_at=now(),
            created_at=now(),
        )
    )


def claim_due(database: Database, *, limit: int, lease_seconds: float) -> list[DueMessage]:
    """Take due webhooks, oldest first, for `lease_seconds`; one whose sender died is due again after that."""
    if database.fetch(_something_is_due) is None:
        return []
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


def _something_is_due(connection: Connection) -> Any:
    """One read: the courier looks twice a second, mostly for nothing."""
    due = outbox.c.state.in_((MessageState.DUE, MessageState.SENDING)), outbox.c.run_at <= now()
    return connection.execute(_by_due(select(outbox.c.id).where(*due).limit(1))).first()


def _due(state: int, limit: int) -> Any:
    return _by_due(
        select(outbox)
        .where(outbox.c.state == state, outbox.c.run_at <= now())
        .order_by(outbox.c.run_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def _by_due(statement: Any) -> Any:
    hint = "FORCE INDEX (k_outbox_due)"
    return statement.with_hint(outbox, hint, "mysql").with_hint(outbox, hint, "mariadb")


def _message(connection: Connection, row: Any, token: bytes) -> DueMessage:
    secret = connection.execute(
        select(account.c.webhook_secret).where(account.c.id == row.account_id)
        if row.endpoint_id is None
        else select(webhook_endpoint.c.secret).where(webhook_endpoint.c.id == row.endpoint_id)
    ).scalar()
    return DueMessage(
        id=row.id,
        endpoint_id=row.endpoint_id,
        message_id=row.message_id,
        url=row.url,
        secret=secret or "",
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
            if message.endpoint_id is not None:
                note_result(connection, message.endpoint_id, ok=error is None)
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
