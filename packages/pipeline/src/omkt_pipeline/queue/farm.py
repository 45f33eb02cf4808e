"""Which farm this database belongs to."""

import contextlib
import os
import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.revision import OLDEST
from omkt_pipeline.db.tables import farm
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.errors import Unavailable


@dataclass(frozen=True, kw_only=True)
class Farm:
    """The farm: its id stands in the share's sentinel too."""

    id: str


def found_farm(database: Database) -> Farm:
    """Return this database's farm, founding it if it is new."""

    def write(connection: Connection) -> None:
        if connection.execute(select(farm.c.id)).first() is None:
            connection.execute(
                insert(farm).values(
                    id=1, farm_id=str(uuid.uuid4()), link_key=os.urandom(16), oldest_revision=OLDEST, created_at=now()
                )
            )

    # Another migration may found it at the same moment; then that one counts.
    with contextlib.suppress(IntegrityError):
        database.transact(write)
    return known_farm(database)


def known_farm(database: Database) -> Farm:
    """Return this database's farm. Raises Unavailable, with what to do, when the database is not migrated."""
    try:
        # no other column: a worker's user of the database may not read the key that signs links
        row = database.fetch(lambda connection: connection.execute(select(farm.c.farm_id)).first())
    except (OperationalError, ProgrammingError):
        row = None
    if row is None:
        raise Unavailable(
            "The database holds no farm. Run `omkt migrate` (the migrate service of Compose does it).",
            code="database_not_migrated",
        )
    return Farm(id=row.farm_id)


def link_key(database: Database) -> bytes:
    """The key that signs links to results; for the API alone. The farm must be founded."""
    return bytes(database.fetch(lambda connection: connection.execute(select(farm.c.link_key)).scalar_one()))
