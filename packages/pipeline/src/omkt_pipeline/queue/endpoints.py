"""Webhook endpoints: addresses of an account that hear of all its jobs, or of some of what happens to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import account, event, outbox, webhook_endpoint
from omkt_pipeline.db.types import now, now_plus
from omkt_pipeline.domain.account import new_webhook_secret
from omkt_pipeline.domain.errors import Conflict, NotFound
from omkt_pipeline.domain.keys import new_key

#: What can happen, and be asked for.
TOPICS = ("job.succeeded", "job.failed", "job.cancelled", "output.published", "endpoint.disabled")
#: Endpoints of one account.
MAX_ENDPOINTS = 20
#: An endpoint that took nothing for so long is not sent to any more.
FAILING_SECONDS = 5 * 86400.0


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An endpoint without its secret."""

    key: str
    url: str
    topics: tuple[str, ...]  #: none: everything
    enabled: bool
    failing_since: datetime | None
    created_at: datetime


def create_endpoint(database: Database, account_id: int, *, url: str, topics: Sequence[str]) -> tuple[Endpoint, str]:
    """Make an endpoint; return it with its secret. Raises Conflict (endpoints_too_many)."""
    key, secret = new_key(), new_webhook_secret()

    def write(connection: Connection) -> Endpoint:
        # One at a time for an account, so that the bound holds.
        connection.execute(select(account.c.id).where(account.c.id == account_id).with_for_update()).one()
        have = select(func.count()).where(webhook_endpoint.c.account_id == account_id)
        if connection.execute(have).scalar_one() >= MAX_ENDPOINTS:
            raise Conflict(
                f"An account may have {MAX_ENDPOINTS} endpoints. Delete one first.", code="endpoints_too_many"
            )
        connection.execute(
            insert(webhook_endpoint).values(
                endpoint_key=key,
                account_id=account_id,
                url=url,
                topics=list(topics),
                secret=secret,
                enabled=True,
                created_at=now(),
            )
        )
        return _endpoint(_row(connection, account_id, key))

    return database.transact(write), secret


def endpoints_of(database: Database, account_id: int) -> list[Endpoint]:
    """The endpoints of an account, oldest first."""
    question = (
        select(webhook_endpoint).where(webhook_endpoint.c.account_id == account_id).order_by(webhook_endpoint.c.id)
    )
    return [_endpoint(row) for row in database.fetch(lambda connection: connection.execute(question).all())]


def endpoint_of(database: Database, account_id: int, key: str) -> Endpoint:
    """One of them. Raises NotFound (endpoint_unknown)."""
    return database.fetch(lambda connection: _endpoint(_row(connection, account_id, key)))


def change_endpoint(
    database: Database,
    account_id: int,
    key: str,
    *,
    url: str | None = None,
    topics: Sequence[str] | None = None,
    enabled: bool | None = None,
) -> Endpoint:
    """Change what is given; enabling it forgets how long it failed. Raises NotFound."""
    values: dict[str, Any] = {"url": url, "topics": None if topics is None else list(topics), "enabled": enabled}
    values = {name: value for name, value in values.items() if value is not None}
    if enabled:
        values["failing_since"] = None

    def write(connection: Connection) -> Endpoint:
        row = _row(connection, account_id, key)
        if values:
            connection.execute(update(webhook_endpoint).where(webhook_endpoint.c.id == row.id).values(**values))
        return _endpoint(_row(connection, account_id, key))

    return database.transact(write)


def rotate_secret(database: Database, account_id: int, key: str) -> str:
    """Sign with a new secret from now on; return it. Raises NotFound."""
    secret = new_webhook_secret()

    def write(connection: Connection) -> str:
        row = _row(connection, account_id, key)
        connection.execute(update(webhook_endpoint).where(webhook_endpoint.c.id == row.id).values(secret=secret))
        return secret

    return database.transact(write)


def delete_endpoint(database: Database, account_id: int, key: str) -> None:
    """Let an endpoint go, with what was still to be sent to it. Raises NotFound."""

    def write(connection: Connection) -> None:
        row = _row(connection, account_id, key)
        connection.execute(delete(webhook_endpoint).where(webhook_endpoint.c.id == row.id))
        connection.execute(delete(outbox).where(outbox.c.endpoint_id == row.id, outbox.c.state == 0))

    database.transact(write)


def note_result(connection: Connection, endpoint_id: int, *, ok: bool) -> None:
    """An endpoint took a message, or did not. One that takes nothing for days is disabled, and its account is told."""
    mine = webhook_endpoint.c.id == endpoint_id
    if ok:
        connection.execute(
            update(webhook_endpoint)
            .where(mine, webhook_endpoint.c.failing_since.is_not(None))
            .values(failing_since=None)
        )
        return
    connection.execute(
        update(webhook_endpoint).where(mine, webhook_endpoint.c.failing_since.is_(None)).values(failing_since=now())
    )
    disabled = connection.execute(
        update(webhook_endpoint)
        .where(
            mine,
            webhook_endpoint.c.enabled.is_(True),
            webhook_endpoint.c.failing_since < now_plus(-FAILING_SECONDS),
        )
        .values(enabled=False)
    ).rowcount
    if disabled:
        row = connection.execute(select(webhook_endpoint).where(mine)).one()
        said = {"endpoint": row.endpoint_key, "url": row.url}
        connection.execute(
            insert(event).values(
                account_id=row.account_id, job_id=0, topic="endpoint.disabled", body=said, created_at=now()
            )
        )


def _row(connection: Connection, account_id: int, key: str) -> Row[Any]:
    row = connection.execute(
        select(webhook_endpoint).where(
            webhook_endpoint.c.endpoint_key == key, webhook_endpoint.c.account_id == account_id
        )
    ).first()
    if row is None:
        raise NotFound("Your account has no such endpoint.", code="endpoint_unknown")
    return row


def _endpoint(row: Row[Any]) -> Endpoint:
    return Endpoint(
        key=row.endpoint_key,
        url=row.url,
        topics=tuple(row.topics),
        enabled=row.enabled,
        failing_since=row.failing_since,
        created_at=row.created_at,
    )
