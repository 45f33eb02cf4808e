"""Clients of the original's API. Each is an account; its key is 32 characters, as the original's clients store it."""

import hashlib
import secrets
import string
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job, outbox
from omkt_pipeline.db.tables.wire import wire_client
from omkt_pipeline.db.types import now, now_plus
from omkt_pipeline.domain.account import new_webhook_secret
from omkt_pipeline.domain.errors import Conflict, NotFound, Refused
from omkt_pipeline.queue.accounts import insert_account
from omkt_pipeline.queue.endings import OPEN_JOB, cancel_job
from omkt_pipeline.queue.outbox import MessageState

#: How long the link of a mail works.
TOKEN_SECONDS = 7 * 86400.0
#: Topics of mails, written into the outbox; the courier sends them.
VALIDATE, DISABLED = "wire.mail.validate", "wire.mail.disabled"
HTTP, LOCAL = "http", "local"
ADAPTERS = (HTTP, LOCAL)

_ALPHABET = string.ascii_letters + string.digits
_KEY_CHARACTERS = 32  # of 62 letters: 190 bits
#: "Last seen" is written at most once in this time.
_SEEN_RESOLUTION_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class WireClient:
    """A client of the original's API."""

    account_id: int
    email: str
    url: str  #: its API root, for callbacks and web-cron
    app_key: str
    adapters: tuple[str, ...]
    enabled: bool
    validated: bool  #: whether somebody followed the link that was mailed to `email`
    seen_at: datetime
    cron_ok_at: datetime | None

    @property
    def may_work(self) -> bool:
        """Whether it may hand over media and ask for formats."""
        return self.enabled and self.validated


def subscribe(
    database: Database,
    *,
    email: str,
    url: str,
    app_key: str,
    validated: bool = False,
    adapters: Sequence[str] = (HTTP,),
) -> str:
    """Make a client with an account of its own; return its key, which is in clear only here.

    Unless it counts as validated, a mail with a link is on its way. Raises Conflict (account_exists).
    """
    key = "".join(secrets.choice(_ALPHABET) for _ in range(_KEY_CHARACTERS))

    def write(connection: Connection) -> str:
        account_id = insert_account(connection, _account_name(email), new_webhook_secret())
        connection.execute(
            insert(wire_client).values(
                account_id=account_id,
                email=email.lower(),
                url=url,
                app_key=app_key,
                key_sha256=_digest(key),
                adapters=list(adapters),
                enabled=True,
                validated_at=now() if validated else None,
                cron_due_at=now() if validated else None,
                seen_at=now(),
                created_at=now(),
            )
        )
        if not validated:
            _mail(connection, account_id, VALIDATE)
        return key

    mine = select(wire_client.c.account_id).where(wire_client.c.key_sha256 == _digest(key))
    try:
        return database.transact(write, landed=lambda connection: key if connection.execute(mine).first() else None)
    except IntegrityError:
        raise Conflict(f"There is already an account for {email}.", code="account_exists") from None


def client_of(database: Database, key: str) -> WireClient:
    """Whose key this is, and note that they called. Raises Refused (key_invalid)."""
    stale = or_(
        wire_client.c.seen_at < now_plus(-_SEEN_RESOLUTION_SECONDS),
        wire_client.c.cron_due_at.is_(None) & wire_client.c.validated_at.is_not(None),
    ).label("stale")
    question = select(wire_client, stale).where(wire_client.c.key_sha256 == _digest(key))
    row = database.fetch(lambda connection: connection.execute(question).first())
    if row is None:
        raise Refused("This key is unknown.", code="key_invalid")
    if row.stale and row.enabled:
        _note_seen(database, row)
    return _client(row)


def by_account(connection: Connection, account_id: int) -> WireClient | None:
    """The client that an account is, if it is one."""
    row = connection.execute(select(wire_client).where(wire_client.c.account_id == account_id)).first()
    return _client(row) if row else None


def client_by_account(database: Database, account_id: int) -> WireClient | None:
    """The same, asked of the database."""
    return database.fetch(lambda connection: by_account(connection, account_id))


def all_clients(database: Database) -> list[WireClient]:
    """All clients, by e-mail address."""
    question = select(wire_client).order_by(wire_client.c.email)
    return [_client(row) for row in database.fetch(lambda connection: connection.execute(question).all())]


def new_token(database: Database, account_id: int) -> tuple[str, WireClient] | None:
    """A token for the mail that is sent now; those of earlier mails are void. None when there is nothing to confirm."""
    token = secrets.token_urlsafe(32)

    def write(connection: Connection) -> WireClient | None:
        found = by_account(connection, account_id)
        if found is None or found.validated or not found.enabled:
            return None
        connection.execute(
            update(wire_client)
            .where(wire_client.c.account_id == account_id)
            .values(token_sha256=_digest(token), token_until=now_plus(TOKEN_SECONDS))
        )
        return found

    client = database.transact(write)
    return (token, client) if client else None


def confirm(database: Database, token: str) -> str:
    """Take the token of a mail, once; return the address that it confirms. Raises NotFound (token_unknown)."""

    def write(connection: Connection) -> str:
        row = connection.execute(
            select(wire_client.c.account_id, wire_client.c.email)
            .where(wire_client.c.token_sha256 == _digest(token), wire_client.c.token_until > now())
            .with_for_update()
        ).first()
        if row is None:
            raise NotFound("This link is unknown, was used before, or has expired.", code="token_unknown")
        connection.execute(
            update(wire_client)
            .where(wire_client.c.account_id == row.account_id)
            .values(validated_at=now(), token_sha256=None, token_until=None, cron_due_at=now(), seen_at=now())
        )
        return str(row.email)

    return database.transact(write)


def set_enabled(database: Database, email: str, *, enabled: bool) -> None:
    """Let a client work, or stop it with everything that it has under way. Raises NotFound (client_unknown)."""

    def write(connection: Connection) -> None:
        account_id = connection.execute(
            select(wire_client.c.account_id).where(wire_client.c.email == email.lower())
        ).scalar()
        if account_id is None:
            raise NotFound(f"There is no client with the address {email}.", code="client_unknown")
        _set_enabled(connection, account_id, enabled=enabled)

    database.transact(write)


def disable_inactive(database: Database, *, silent_days: float, cron_failing_days: float) -> int:
    """Disable one client that has not called for long and whose site does not answer either; return how many (0 or 1).

    It is told by mail. The original's rule, with 62 and 31 days.
    """

    def write(connection: Connection) -> int:
        account_id = connection.execute(
            select(wire_client.c.account_id)
            .where(
                wire_client.c.enabled.is_(True),
                wire_client.c.validated_at.is_not(None),
                wire_client.c.seen_at < now_plus(-silent_days * 86400),
                or_(
                    wire_client.c.cron_ok_at.is_(None),
                    wire_client.c.cron_ok_at < now_plus(-cron_failing_days * 86400),
                ),
            )
            .limit(1)
            .with_for_update(skip_locked=True)
        ).scalar()
        if account_id is None:
            return 0
        _set_enabled(connection, account_id, enabled=False)
        _mail(connection, account_id, DISABLED)
        return 1

    return database.transact(write)


def _set_enabled(connection: Connection, account_id: int, *, enabled: bool) -> None:
    connection.execute(
        update(wire_client)
        .where(wire_client.c.account_id == account_id)
        .values(
            enabled=enabled, cron_due_at=now() if enabled else None, seen_at=now() if enabled else wire_client.c.seen_at
        )
    )
    if enabled:
        return
    running = select(job.c.id).where(job.c.account_id == account_id, job.c.state.in_(OPEN_JOB)).order_by(job.c.id)
    for job_id in connection.execute(running).scalars().all():
        cancel_job(connection, job_id)


def _note_seen(database: Database, row: Row[Any]) -> None:
    # Web-cron gave up on a site that was down for long; its call is the sign that it is back.
    due = now() if row.cron_due_at is None and row.validated_at is not None else wire_client.c.cron_due_at
    seen = update(wire_client).where(wire_client.c.account_id == row.account_id).values(seen_at=now(), cron_due_at=due)
    database.transact(lambda connection: connection.execute(seen).rowcount)


def _mail(connection: Connection, account_id: int, topic: str) -> None:
    connection.execute(
        insert(outbox).values(
            account_id=account_id,
            job_id=0,  # of no job
            message_id=f"msg_{uuid.uuid4().hex}",
            topic=topic,
            url="mailto:",
            body={"account": account_id},
            state=MessageState.DUE,
            tries=0,
            run_at=now(),
            created_at=now(),
        )
    )


def _account_name(email: str) -> str:
    """The address itself, where it fits; else its beginning and what makes it another one's."""
    name = email.lower()
    return name if len(name) <= 64 else f"{name[:47]}~{_digest(name)[:16]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _client(row: Row[Any]) -> WireClient:
    return WireClient(
        account_id=row.account_id,
        email=row.email,
        url=row.url,
        app_key=row.app_key,
        adapters=tuple(row.adapters),
        enabled=row.enabled,
        validated=row.validated_at is not None,
        seen_at=row.seen_at,
        cron_ok_at=row.cron_ok_at,
    )
