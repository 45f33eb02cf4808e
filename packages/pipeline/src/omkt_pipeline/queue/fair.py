"""Fair sharing among accounts by virtual time (start-time fair queueing): the order lies in the claim index itself.

A task's `fair_key` is the virtual moment at which its account's turn comes; adding it moves the account's clock on by
cost / weight. An account that was away starts at the pool's present, so it can neither save up turns nor be starved.
"""

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects import mysql, sqlite

from omkt_pipeline.db.tables import account, fair_share, task
from omkt_pipeline.domain.task import Pool, TaskState


def fair_keys(connection: Connection, account_id: int, pool: Pool, band: int, costs: list[float]) -> list[float]:
    """Return the virtual start of each new task, in order, and move the account's clock on.

    Locks the account's clock until the transaction ends; call it late.
    """
    present = _present(connection, pool, band)
    weight = connection.execute(select(account.c.weight).where(account.c.id == account_id)).scalar_one()
    _ensure(connection, account_id, pool)
    mine = (fair_share.c.account_id == account_id) & (fair_share.c.pool == pool)
    clock = connection.execute(select(fair_share.c.vtime).where(mine).with_for_update()).scalar_one()
    start = max(clock, present)
    keys = []
    for cost in costs:
        keys.append(start)
        start += max(cost, 0.001) / weight
    connection.execute(update(fair_share).where(mine).values(vtime=start))
    return keys


def _present(connection: Connection, pool: Pool, band: int) -> float:
    """The pool's virtual time: what is served next, else what is being served, else where the furthest account stands."""
    here = (task.c.pool == pool) & (task.c.band == band)
    waiting = select(func.min(task.c.fair_key)).where(task.c.state == TaskState.READY, here)
    served = select(func.max(task.c.fair_key)).where(task.c.state == TaskState.RUNNING, here)
    furthest = select(func.max(fair_share.c.vtime)).where(fair_share.c.pool == pool)
    for question in (waiting, served, furthest):
        answer = connection.execute(question).scalar()
        if answer is not None:
            return float(answer)
    return 0.0


def _ensure(connection: Connection, account_id: int, pool: Pool) -> None:
    row = {"account_id": account_id, "pool": int(pool), "vtime": 0.0}
    if connection.dialect.name == "sqlite":
        connection.execute(sqlite.insert(fair_share).values(row).on_conflict_do_nothing())
        return
    known = connection.execute(
        select(fair_share.c.pool).where(fair_share.c.account_id == account_id, fair_share.c.pool == pool)
    ).first()
    if known is None:
        connection.execute(mysql.insert(fair_share).values(row).on_duplicate_key_update(vtime=fair_share.c.vtime))
