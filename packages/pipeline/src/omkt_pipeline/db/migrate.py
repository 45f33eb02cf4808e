"""Migrations: applied by one explicit command, never at a daemon's start; one head, both dialects."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from omkt_pipeline.db.engine import Database, translated
from omkt_pipeline.db.revision import newer_revision
from omkt_pipeline.domain.errors import Unavailable

_LOCK = "omkt_migrate"
_LOCK_WAIT_SECONDS = 60


def upgrade(database: Database) -> str:
    """Bring the schema to this code's revision; safe to repeat and to run twice at once. Return the schema's revision.

    A newer schema that serves this code too stays as it is: that is how one goes back a version. Raises Unavailable when
    another migration does not end (migration_busy), or when the schema has left this code behind (database_too_new).
    """
    newer = newer_revision(database)
    if newer:
        return newer
    with translated(), database.engine.connect() as connection:
        if not database.is_sqlite:
            _lock(connection)
        try:
            _run(connection)
            if not database.is_sqlite:
                connection.commit()
        finally:
            if not database.is_sqlite:
                connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": _LOCK})
    return head()


def head() -> str:
    """The revision that this code needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None  # noqa: S101 - the package ships its migrations
    return revision


def _lock(connection: Connection) -> None:
    got = connection.execute(
        text("SELECT GET_LOCK(:name, :wait)"), {"name": _LOCK, "wait": _LOCK_WAIT_SECONDS}
    ).scalar()
    if not got:
        raise Unavailable("Another migration is running and does not end.", code="migration_busy")


def _run(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
