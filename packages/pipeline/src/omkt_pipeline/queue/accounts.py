"""Accounts and API keys in the database."""

import hmac
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import account, api_key, fair_share
from omkt_pipeline.db.types import now, now_plus
from omkt_pipeline.domain.account import Account, ApiKey, Quotas, Scope, new_webhook_secret
from omkt_pipeline.domain.errors import Conflict, NotFound, Refused
from omkt_pipeline.domain.task import Pool

#: "Last used" is written at most once in this time: it is for people, not worth a write per request.
_USED_RESOLUTION_SECONDS = 60.0
_UNLIMITED = Quotas()


def create_account(
    database: Database, name: str, *, weight: float = 1.0, operator: bool = False, quotas: Quotas = _UNLIMITED
) -> tuple[Account, ApiKey]:
    """Create an account with its first key, which is in clear only here. Raises Conflict when the name is taken.

    A farm's first account is an operator's in any case: somebody must be.
    """
    secret = new_webhook_secret()
    key = ApiKey.new()

    def write(connection: Connection) -> tuple[int, bool]:
        steers = operator or connection.execute(select(account.c.id).limit(1)).first() is None
        account_id = insert_account(connection, name, secret, weight=weight, operator=steers, quotas=quotas)
        _insert_key(connection, account_id, key, "first")
        return account_id, steers

    def written(connection: Connection) -> tuple[int, bool] | None:
        found = connection.execute(
            select(account.c.id, account.c.operator)
            .join(api_key, api_key.c.account_id == account.c.id)
            .where(api_key.c.id == key.id)
        ).first()
        return (found.id, found.operator) if found else None

    try:
        account_id, steers = database.transact(write, landed=written)
    except IntegrityError:
        raise Conflict(f"There is already an account named {name}.", code="account_exists") from None
    return Account(id=account_id, name=name, webhook_secret=secret, operator=steers), key


def insert_account(
    connection: Connection,
    name: str,
    webhook_secret: str,
    *,
    weight: float = 1.0,
    operator: bool = False,
    quotas: Quotas = _UNLIMITED,
) -> int:
    """Write an account with its clocks, without a key; return its id."""
    result = connection.execute(
        insert(account).values(
            name=name,
            weight=weight,
            webhook_secret=webhook_secret,
            operator=operator,
            created_at=now(),
            **asdict(quotas),
        )
    )
    assert result.inserted_primary_key is not None  # noqa: S101 - one row, one key
    account_id = int(result.inserted_primary_key[0])
    clocks = [{"account_id": account_id, "pool": int(pool), "vtime": 0.0} for pool in Pool]
    connection.execute(insert(fair_share), clocks)
    return account_id


def add_key(database: Database, account_name: str, key_name: str) -> ApiKey:
    """Give an account another key, in clear only here. Raises NotFound."""
    key = ApiKey.new()

    def write(connection: Connection) -> int:
        found = connection.execute(select(account.c.id).where(account.c.name == account_name)).scalar()
        if found is None:
            raise NotFound(f"There is no account named {account_name}.", code="account_unknown")
        _insert_key(connection, found, key, key_name)
        return int(found)

    database.transact(write, landed=lambda connection: _owner(connection, key))
    return key


def revoke_key(database: Database, key_id: str) -> None:
    """Make a key useless at once. Raises NotFound."""
    known = select(func.count()).where(api_key.c.id == key_id)

    def write(connection: Connection) -> int:
        return connection.execute(
            update(api_key).where(api_key.c.id == key_id, api_key.c.revoked_at.is_(None)).values(revoked_at=now())
        ).rowcount

    def revoked(connection: Connection) -> int | None:
        return connection.execute(known.where(api_key.c.revoked_at.is_not(None))).scalar() or None

    if not database.transact(write, landed=revoked):
        raise NotFound(f"There is no living key {key_id}.", code="key_unknown")


def accounts(database: Database) -> list[Account]:
    """All accounts by name."""
    rows = database.fetch(lambda connection: connection.execute(select(account).order_by(account.c.name)).all())
    return [Account(id=row.id, name=row.name, webhook_secret=row.webhook_secret, operator=row.operator) for row in rows]


def authenticate(database: Database, text: str) -> Account:
    """Return whose key this is. Raises Refused (code key_invalid) for everything that is not a living key."""
    key = ApiKey.parse(text)

    stale = or_(api_key.c.used_at.is_(None), api_key.c.used_at < now_plus(-_USED_RESOLUTION_SECONDS))
    question = (
        select(
            api_key.c.secret_sha256,
            api_key.c.scope,
            account.c.id,
            account.c.name,
            account.c.webhook_secret,
            account.c.operator,
            account.c.max_bytes,
            account.c.max_upload_bytes,
            account.c.max_daily_minutes,
            account.c.max_running,
            stale.label("stale"),
        )
        .join(account, account.c.id == api_key.c.account_id)
        .where(
            api_key.c.id == key.id,
            api_key.c.revoked_at.is_(None),
            or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > now()),
        )
    )
    row = database.fetch(lambda connection: connection.execute(question).first())
    if row is None or not hmac.compare_digest(row.secret_sha256, key.hash):
        raise Refused("This key is unknown, revoked or expired.", code="key_invalid")
    if row.stale:
        used = update(api_key).where(api_key.c.id == key.id).values(used_at=now())
        database.transact(lambda connection: connection.execute(used).rowcount)
    return Account(
        id=row.id,
        name=row.name,
        webhook_secret=row.webhook_secret,
        scope=Scope(row.scope),
        operator=row.operator,
        key_id=key.id,
        quotas=quotas_in(row),
    )


def quotas_in(row: Any) -> Quotas:
    """The limits in a row with an account's columns."""
    return Quotas(
        max_bytes=row.max_bytes,
        max_upload_bytes=row.max_upload_bytes,
        max_daily_minutes=row.max_daily_minutes,
        max_running=row.max_running,
    )


def _owner(connection: Connection, key: ApiKey) -> int | None:
    return connection.execute(select(api_key.c.account_id).where(api_key.c.id == key.id)).scalar()


def _insert_key(connection: Connection, account_id: int, key: ApiKey, name: str) -> None:
    connection.execute(
        insert(api_key).values(
            id=key.id, account_id=account_id, name=name, secret_sha256=key.hash, scope=Scope.ADMIN, created_at=now()
        )
    )
