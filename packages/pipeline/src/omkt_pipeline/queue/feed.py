"""The events of accounts, in order: for listeners that were away, and for those that wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import event
from omkt_pipeline.db.types import now_plus

#: How long what happened can still be asked for.
KEEP_SECONDS = 3 * 86400.0
_BATCH = 1000


@dataclass(frozen=True, kw_only=True)
class Happening:
    """An event. Ids rise in the order in which events began to be written."""

    id: int
    account_id: int
    topic: str
    body: Mapping[str, Any]
    at: datetime


def after(database: Database, account_id: int, last: int) -> list[Happening]:
    """What happened to an account's jobs since an event, oldest first; a batch."""
    question = (
        select(event).where(event.c.account_id == account_id, event.c.id > last).order_by(event.c.id).limit(_BATCH)
    )
    return [_happening(row) for row in database.fetch(lambda connection: connection.execute(question).all())]


def recent(database: Database, *, seconds: float) -> list[Happening]:
    """What happened to anybody's in the last seconds.

    A transaction that began earlier may end later: who looks for ids above the last one alone would miss its event. So one looks
    a little back each time, and leaves out what one has seen.
    """
    question = select(event).where(event.c.created_at > now_plus(-seconds)).order_by(event.c.id.desc()).limit(_BATCH)
    rows = database.fetch(lambda connection: connection.execute(question).all())
    return [_happening(row) for row in reversed(rows)]


def newest(database: Database) -> int:
    """The id of the newest event; 0 when there is none."""
    question = select(func.max(event.c.id))
    return int(database.fetch(lambda connection: connection.execute(question).scalar()) or 0)


def forget_events(database: Database) -> int:
    """Forget what is older than three days; a batch. Return how many."""

    def write(connection: Connection) -> int:
        old = select(event.c.id).where(event.c.created_at < now_plus(-KEEP_SECONDS)).order_by(event.c.created_at)
        ids = connection.execute(old.limit(_BATCH)).scalars().all()
        return connection.execute(delete(event).where(event.c.id.in_(ids))).rowcount if ids else 0

    return database.transact(write)


def _happening(row: Row[Any]) -> Happening:
    return Happening(id=row.id, account_id=row.account_id, topic=row.topic, body=dict(row.body), at=row.created_at)
