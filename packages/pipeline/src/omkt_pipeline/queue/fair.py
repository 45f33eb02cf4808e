"""Fair sharing among accounts by virtual time (start-time fair queueing): the order lies in the claim index itself.

A task's `fair_key` is the virtual moment at which its account's turn comes; adding it moves the account's clock on by
cost / weight. An account that was away starts at the pool's present, so it can neither save up turns nor be starved.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection, bindparam, case, func, insert, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import account, fair_share, task
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.errors import Unavailable
from omkt_pipeline.domain.task import Pool, TaskState

log = structlog.get_logger(__name__)

_here = (task.c.pool == bindparam("in_pool")) & (task.c.band == bindparam("in_band"))
_mine = (fair_share.c.account_id == bindparam("of_account")) & (fair_share.c.pool == bindparam("in_pool"))
#: The pool's virtual time: what is served next, else what is being served, else where the furthest account stands.
_PRESENT = func.coalesce(
    select(func.min(task.c.fair_key)).where(task.c.state == TaskState.READY, _here).scalar_subquery(),
    select(func.max(task.c.fair_key)).where(task.c.state == TaskState.RUNNING, _here).scalar_subquery(),
    select(func.max(fair_share.c.vtime)).where(fair_share.c.pool == bindparam("in_pool")).scalar_subquery(),
    0.0,
)
_LOOK = select(
    now().label("at"),
    account.c.weight,
    _PRESENT.label("present"),
    select(fair_share.c.vtime).where(_mine).scalar_subquery().label("clock"),
).where(account.c.id == bindparam("of_account"))
_ADVANCE = (
    update(fair_share)
    .where(_mine)
    .values(
        vtime=case((fair_share.c.vtime > bindparam("begun"), fair_share.c.vtime), else_=bindparam("begun"))
        + bindparam("spent")
    )
)


@dataclass(frozen=True, kw_only=True)
class Turns:
    """The virtual starts of new tasks of one pool, in order, and what they cost their account."""

    account_id: int
    pool: Pool
    at: datetime  #: when they were looked up, by the database's clock
    keys: tuple[float, ...]
    spent: float


def turns(connection: Connection, account_id: int, pool: Pool, band: int, costs: Sequence[float]) -> Turns:
    """Look up the turns of new tasks. Locks nothing: two requests of one account at once may get the same turn."""
    row = connection.execute(_LOOK, {"of_account": account_id, "in_pool": int(pool), "in_band": band}).one()
    begun = start = max(row.present, row.clock or 0.0)
    keys = []
    for cost in costs:
        keys.append(start)
        start += max(cost, 0.001) / row.weight
    return Turns(account_id=account_id, pool=pool, at=row.at, keys=tuple(keys), spent=start - begun)


def advance(connection: Connection, taken: Turns) -> None:
    """Move the account's clock on. Locks it until the transaction ends: the last statement of a transaction."""
    values = {
        "of_account": taken.account_id,
        "in_pool": int(taken.pool),
        "begun": taken.keys[0],
        "spent": taken.spent,
    }
    if connection.execute(_ADVANCE, values).rowcount == 0:
        connection.execute(
            insert(fair_share).values(
                account_id=taken.account_id, pool=int(taken.pool), vtime=taken.keys[0] + taken.spent
            )
        )


def advance_alone(database: Database, taken: Iterable[Turns]) -> None:
    """The same for turns of tasks that are stored already. The clock is locked for a moment each, not until a transaction
    ends: of many requests of one account, none waits for another one's COMMIT.

    Nothing is undone when the database is away just then: the account's next tasks come a little early.
    """

    def move(connection: Connection) -> None:
        for one in taken:
            advance(connection, one)

    try:
        database.repeat(move)
    except Unavailable as error:
        log.warning("an account's clock was not moved on", event_code="clock_kept", reason=error.message)
