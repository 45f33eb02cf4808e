"""Migrations: applied by one explicit command, never at a daemon's start; one head, both dialects."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
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
    if database.is_sqlite:
        with _alone_in_its_folder(database), translated(), database.engine.connect() as connection:
            _run(connection)
        return head()
    with translated(), database.engine.connect() as connection:
        _lock(connection)
        try:
            _run(connection)
            connection.commit()
        finally:
            connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": _LOCK})
    return head()


def head() -> str:
    """The revision that this code needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None  # noqa: S101 - the package ships its migrations
    return revision


@contextmanager
def _alone_in_its_folder(database: Database) -> Iterator[None]:
    """One migration at a time of SQLite files in one folder: the driver ends a transaction before it changes a table."""
    path = database.url.database
    if path is None or path == ":memory:":
        yield
        return
    folder = os.open(Path(path).absolute().parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


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
