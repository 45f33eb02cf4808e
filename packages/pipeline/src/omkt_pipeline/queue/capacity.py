"""What the farm can encode at once now: the slots of all workers that are up, for the planner."""

from sqlalchemy import select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import worker
from omkt_pipeline.domain.capacity import Capacity, ChunkRules
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.maintenance import steering
from omkt_pipeline.queue.workers import NEAR, has_near_peer

#: What workers say of themselves by then: how fast their host encoded lately, in work of the same cost.
SPEED = "speed"
#: And planners of how they cut: seconds of the shortest chunk, and of the usual one.
CHUNK_SECONDS = "chunk_seconds"
_UNEVEN = 1.5
_UP = "up"


def capacity(database: Database, pool: Pool) -> Capacity:
    """The living slots of a pool. A farm whose workers are all away counts as the smallest one."""
    question = select(worker.c.host, worker.c.slots, worker.c.facts).where(worker.c.state == _UP, worker.c.pool == pool)
    rows = database.fetch(lambda connection: connection.execute(question).all())
    speeds = [float(speed) for row in rows if (speed := (row.facts or {}).get(SPEED))]
    afar = any(not (row.facts or {}).get(NEAR) for row in rows)
    return Capacity(
        slots=max(1, sum(row.slots for row in rows)),
        hosts=max(1, len({row.host for row in rows})),
        uneven=bool(speeds) and max(speeds) > _UNEVEN * min(speeds),
        afar=afar and has_near_peer(database, Pool.METADATA),
    )


def chunk_rules(database: Database) -> ChunkRules:
    """How the farm's planners cut films: as the one that signed last says, or the operator has changed since; the defaults
    when none is up."""
    question = (
        select(worker.c.facts)
        .where(worker.c.state == _UP, worker.c.pool == Pool.METADATA)
        .order_by(worker.c.seen_at.desc())
    )
    found = database.fetch(lambda connection: connection.execute(question).scalars().all())
    told = (said for facts in found if isinstance(said := (facts or {}).get(CHUNK_SECONDS), list) and len(said) == 2)
    own = next((ChunkRules(min_seconds=said[0], target_seconds=said[1]) for said in told), ChunkRules())
    return steering(database).chunks(own)
