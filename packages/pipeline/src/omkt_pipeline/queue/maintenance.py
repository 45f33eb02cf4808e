"""What an operator does to a farm while it runs: pools that claim nothing for a while, settings that are changed."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import farm
from omkt_pipeline.domain.steering import Steering
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


def steering(database: Database) -> Steering:
    """What the operator has changed."""
    said = database.fetch(lambda connection: connection.execute(select(farm.c.steering)).scalar())
    return Steering.model_validate(said or {})


def steer(database: Database, changes: Mapping[str, Any]) -> Steering:
    """Change settings, those with None back to what the services were started with; all that is changed now.

    Services hear of it when they next look: within some seconds.
    """

    def write(connection: Connection) -> Steering:
        said = connection.execute(select(farm.c.steering).with_for_update()).scalar() or {}
        changed = Steering.model_validate({**said, **changes})
        connection.execute(update(farm).values(steering=changed.model_dump(mode="json", exclude_none=True) or None))
        return changed

    return database.transact(write)
