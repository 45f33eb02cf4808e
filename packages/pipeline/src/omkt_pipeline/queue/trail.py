"""The trail: who changed what, and when. It names things and never holds what was said about them, so no secret either."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import account, trail
from omkt_pipeline.db.types import now, now_plus

#: How long it can be read.
KEEP_SECONDS = 400 * 86400.0
_BATCH = 1000
_ACTION, _TARGET, _ADDRESS = 48, 255, 64  #: characters kept


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change."""

    id: int
    at: datetime
    account: str | None  #: None: on the main host's command line
    key_id: str | None
    address: str | None
    action: str
    target: str


def record(
    database: Database,
    action: str,
    target: str,
    *,
    account_id: int | None = None,
    key_id: str | None = None,
    address: str | None = None,
) -> None:
    """Add to the trail. Without an account it was the main host's command line."""
    step = {"account_id": account_id, "key_id": key_id, "address": address and address[:_ADDRESS]}
    written = insert(trail).values(**step, action=action[:_ACTION], target=target[:_TARGET], at=now())
    database.transact(lambda connection: connection.execute(written).rowcount)


def steps(database: Database, *, limit: int, before: int | None = None, account_name: str | None = None) -> list[Step]:
    """The trail, newest first; of one account, if it is named."""
    question = (
        select(trail, account.c.name.label("account_name"))
        .outerjoin(account, account.c.id == trail.c.account_id)
        .order_by(trail.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        question = question.where(trail.c.id < before)
    if account_name is not None:
        question = question.where(account.c.name == account_name)
    return [
        Step(
            id=row.id,
            at=row.at,
            account=row.account_name,
            key_id=row.key_id,
            address=row.address,
            action=row.action,
            target=row.target,
        )
        for row in database.fetch(lambda connection: connection.execute(question).all())
    ]


def forget_steps(database: Database) -> int:
    """Forget what is older than 400 days; a batch. Return how many."""

    def write(connection: Connection) -> int:
        old = select(trail.c.id).where(trail.c.at < now_plus(-KEEP_SECONDS)).order_by(trail.c.at).limit(_BATCH)
        ids = connection.execute(old).scalars().all()
        return connection.execute(delete(trail).where(trail.c.id.in_(ids))).rowcount if ids else 0

    return database.transact(write)
