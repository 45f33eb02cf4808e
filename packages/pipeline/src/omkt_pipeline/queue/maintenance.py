"""The operator's brake: pools that claim nothing for a while. What runs already runs on."""

from collections.abc import Iterable

from sqlalchemy import select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import farm
from omkt_pipeline.domain.task import Pool


def paused_pools(database: Database) -> frozenset[Pool]:
    """The pools that are paused."""
    return pools_of(database.fetch(lambda connection: connection.execute(select(farm.c.paused)).scalar()))


def pause(database: Database, pools: Iterable[Pool]) -> frozenset[Pool]:
    """Pause these pools and no others. Workers hear of it when they sign, within about ten seconds."""
    wanted = frozenset(pools)
    names = sorted(pool.name.lower() for pool in wanted) or None
    database.transact(lambda connection: connection.execute(update(farm).values(paused=names)).rowcount)
    return wanted


def pools_of(names: Iterable[str] | None) -> frozenset[Pool]:
    """Pools by their names, as the farm's row has them."""
    return frozenset(Pool[name.upper()] for name in names or ())
