"""Accounts as operators see and change them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import account
from omkt_pipeline.domain.account import Quotas
from omkt_pipeline.domain.errors import Conflict, NotFound
from omkt_pipeline.queue.accounts import quotas_in
from omkt_pipeline.queue.quotas import Usage, usage_of


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """An account, for operators."""

    id: int
    name: str
    weight: float
    operator: bool
    quotas: Quotas
    created_at: datetime


def tenants(database: Database, *, limit: int, after: str = "") -> list[Tenant]:
    """Accounts by name, those after a name."""
    question = select(account).where(account.c.name > after).order_by(account.c.name).limit(limit)
    return [_tenant(row) for row in database.fetch(lambda connection: connection.execute(question).all())]


def tenant(database: Database, name: str) -> tuple[Tenant, Usage]:
    """One account and what it uses. Raises NotFound (account_unknown)."""
    found = database.fetch(lambda connection: _find(connection, name))
    return found, usage_of(database, found.id)


def change_tenant(database: Database, name: str, changes: Mapping[str, Any]) -> None:
    """Change weight, operator or limits of an account. Raises NotFound; Conflict (last_operator), since somebody must be."""

    def write(connection: Connection) -> None:
        operators = select(account.c.name).where(account.c.operator).order_by(account.c.id).with_for_update()
        others = [one for one in connection.execute(operators).scalars() if one != name]
        if _find(connection, name).operator and changes.get("operator") is False and not others:
            raise Conflict("It is the farm's last operator. Make another account one first.", code="last_operator")
        if changes:
            connection.execute(update(account).where(account.c.name == name).values(**changes))

    database.transact(write)


def _find(connection: Connection, name: str) -> Tenant:
    row = connection.execute(select(account).where(account.c.name == name)).first()
    if row is None:
        raise NotFound(f"There is no account named {name}.", code="account_unknown")
    return _tenant(row)


def _tenant(row: Row[Any]) -> Tenant:
    return Tenant(
        id=row.id,
        name=row.name,
        weight=row.weight,
        operator=row.operator,
        quotas=quotas_in(row),
        created_at=row.created_at,
    )
