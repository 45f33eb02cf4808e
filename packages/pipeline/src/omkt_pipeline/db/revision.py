"""Is the schema this code's? Every daemon asks at its start, so that Alembic stays out of its memory."""

from sqlalchemy import Connection, inspect, text

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import Unavailable

#: The newest migration in migrations/versions/.
HEAD = "0006"


def check_revision(database: Database) -> None:
    """Raise Unavailable (code database_not_migrated), with what to run, unless the schema is this code's."""
    found = database.fetch(_revision)
    if found != HEAD:
        raise Unavailable(
            f"The database schema is at revision {found or 'none'}, this version needs {HEAD}. "
            "Run `omkt migrate` on the main host (the migrate service of Compose does it), then start again.",
            code="database_not_migrated",
        )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
