"""The keys of an account, as its own administrators handle them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import account, api_key
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.account import ApiKey, Scope
from omkt_pipeline.domain.errors import Conflict, NotFound

#: Living keys of one account.
MAX_KEYS = 50


@dataclass(frozen=True, kw_only=True)
class KeyView:
    """A key without its secret, which nobody has but who made it."""

    id: str
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


def keys_of(database: Database, account_id: int) -> list[KeyView]:
    """All keys of an account, newest first, revoked ones too."""
    question = (
        select(api_key).where(api_key.c.account_id == account_id).order_by(api_key.c.created_at.desc(), api_key.c.id)
    )
    rows = database.fetch(lambda connection: connection.execute(question).all())
    return [
        KeyView(
            id=row.id,
            name=row.name,
            scope=Scope(row.scope),
            created_at=row.created_at,
            expires_at=row.expires_at,
            used_at=row.used_at,
            revoked_at=row.revoked_at,
        )
        for row in rows
    ]


def create_key(
    database: Database, account_id: int, *, name: str, scope: Scope, expires_at: datetime | None = None
) -> ApiKey:
    """Make a key, in clear only here. Raises Conflict (keys_too_many)."""
    key = ApiKey.new()

    def write(connection: Connection) -> bool:
        # One at a time for an account, so that the bound holds.
        connection.execute(select(account.c.id).where(account.c.id == account_id).with_for_update()).one()
        living = select(func.count()).where(api_key.c.account_id == account_id, api_key.c.revoked_at.is_(None))
        if connection.execute(living).scalar_one() >= MAX_KEYS:
            raise Conflict(f"An account may have {MAX_KEYS} keys. Revoke one first.", code="keys_too_many")
        connection.execute(
            insert(api_key).values(
                id=key.id,
                account_id=account_id,
                name=name,
                secret_sha256=key.hash,
                scope=scope,
                expires_at=expires_at,
                created_at=now(),
            )
        )
        return True

    made = select(api_key.c.id).where(api_key.c.id == key.id)
    database.transact(write, landed=lambda connection: True if connection.execute(made).first() else None)
    return key


def revoke_own_key(database: Database, account_id: int, key_id: str) -> None:
    """Make a key of the account useless. Revoking it again is no error. Raises NotFound."""
    mine = (api_key.c.id == key_id, api_key.c.account_id == account_id)

    def write(connection: Connection) -> None:
        if connection.execute(select(api_key.c.id).where(*mine)).first() is None:
            raise NotFound("Your account has no such key.", code="key_unknown")
        connection.execute(update(api_key).where(*mine, api_key.c.revoked_at.is_(None)).values(revoked_at=now()))

    database.transact(write)
