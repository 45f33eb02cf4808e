"""How many tasks of an account may run at once, on the whole farm. Most accounts have no such limit."""

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import account, fair_share, task
from omkt_pipeline.domain.task import TaskState

_RUNNING = (
    select(func.count())
    .where(task.c.account_id == account.c.id, task.c.state == TaskState.RUNNING)
    .correlate(account)
    .scalar_subquery()
)
_LIMITED = select(account.c.id, account.c.max_running > _RUNNING).where(account.c.max_running.is_not(None))


def limited_accounts(database: Database) -> Mapping[int, bool]:
    """The accounts that have a limit, and whether they may run one more task just now."""
    return database.fetch(lambda connection: {one: bool(free) for one, free in connection.execute(_LIMITED).all()})


def take_place(connection: Connection, account_id: int) -> bool:
    """Whether a limited account may run one more task. Whoever asks next waits for this transaction to end.

    So two claims at the same moment cannot both have its last place.
    """
    clocks = select(fair_share.c.vtime).where(fair_share.c.account_id == account_id).order_by(fair_share.c.pool)
    connection.execute(clocks.with_for_update()).all()
    found = connection.execute(_LIMITED.where(account.c.id == account_id)).first()
    return found is None or bool(found[1])
