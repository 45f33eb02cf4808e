"""May this program work with the schema? Every daemon asks at its start, so that Alembic stays out of its memory.

A farm is upgraded main host first, then host by host: for a while programs meet a schema that is newer than they are. A
migration that only adds leaves `farm.oldest_revision` alone; one that takes something away from older programs sets it to the
first revision whose programs did not use that any more. Revisions are numbers of equal length, and compare as they are written.
"""

from sqlalchemy import Connection, inspect, select, text

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import farm
from omkt_pipeline.domain.errors import Unavailable

#: The newest migration in migrations/versions/.
HEAD = "0014"
#: What a new farm's `oldest_revision` is: as if all migrations had been run on an older one.
OLDEST = "0007"


def check_revision(database: Database) -> None:
    """Raise Unavailable, with what to run, unless this program may work with the schema.

    Codes: database_not_migrated (the schema is older), database_too_new (it is newer, and left this program behind).
    """
    found, oldest = database.fetch(_revisions)
    if found is None or found < HEAD:
        raise Unavailable(
            f"The database schema is at revision {found or 'none'}, this version needs {HEAD}. "
            "Run `omkt migrate` on the main host (the migrate service of Compose does it), then start again.",
            code="database_not_migrated",
        )
    if oldest > HEAD:
        raise Unavailable(
            f"The database schema is at revision {found} and serves programs from {oldest} on; this one is of {HEAD}. "
            "Bring this host the images of the main host's version (docs/operations.md, Upgrading), then start again.",
            code="database_too_new",
        )


def newer_revision(database: Database) -> str | None:
    """The schema's revision when it is newer than this program, and serves it; None when it is not newer.

    Raises Unavailable (database_too_new) when it does not serve it.
    """
    found, _ = database.fetch(_revisions)
    if found is None or found <= HEAD:
        return None
    check_revision(database)
    return found


def _revisions(connection: Connection) -> tuple[str | None, str]:
    if not inspect(connection).has_table("alembic_version"):
        return None, HEAD
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is None or found <= HEAD:
        return found, HEAD
    return found, connection.execute(select(farm.c.oldest_revision)).scalar() or HEAD
