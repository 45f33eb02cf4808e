"""Whose is a host's name? One machine's at a time, known by the identity that all its containers share."""

from sqlalchemy import Connection, func, insert, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import host, worker
from omkt_pipeline.db.types import now, now_plus
from omkt_pipeline.domain.errors import Conflict

UP, DRAINING, ASIDE, GONE = "up", "draining", "aside", "gone"
#: The states of a worker that may still sign.
LIVING = (UP, DRAINING, ASIDE)


def join(connection: Connection, name: str, identity: str, *, lease_seconds: float) -> None:
    """Enter a machine under this name, inside the caller's transaction.

    A machine that was made anew, with a new identity, takes over the name of the old one once no worker of that has
    signed for a lease. Until then this raises Conflict (host_name_taken): two machines of one name would each count as
    the other, and nobody could tell what runs where.
    """
    mine = host.c.name == name
    row = connection.execute(select(host.c.identity).where(mine).with_for_update()).first()
    if row is None:
        connection.execute(insert(host).values(name=name, identity=identity, joined_at=now()))
        return
    if row.identity == identity:
        return
    if row.identity is not None and living_workers(connection, name, within_seconds=lease_seconds):
        raise Conflict(
            f"Another machine works under the name {name!r}. Every host needs a name of its own: set OMKT_HOST_NAME, or "
            "ask for a new invitation with `omkt hosts invite NAME`. If this machine replaces the other, stop that one "
            f"first; its name is free {lease_seconds:.0f} s later.",
            code="host_name_taken",
        )
    connection.execute(update(host).where(mine).values(identity=identity, joined_at=now()))


def living_workers(connection: Connection, name: str, *, within_seconds: float) -> int:
    """How many workers of a host signed within so many seconds and did not say goodbye."""
    recently = worker.c.seen_at > now_plus(-within_seconds)
    question = select(func.count()).select_from(worker).where(worker.c.state.in_(LIVING), recently)
    return connection.execute(question.where(worker.c.host == name)).scalar_one()


def identity_of(database: Database, name: str) -> str | None:
    """The identity of the machine that has a name, or None when no machine has worked under it."""
    return database.fetch(
        lambda connection: connection.execute(select(host.c.identity).where(host.c.name == name)).scalar()
    )
