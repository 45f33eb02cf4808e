"""Which databases a run of the tests has, and a clean one for each test.

tests/run.py says what the machine carries: OMKT_TEST_MARIADB=1, OMKT_TEST_MYSQL=1. Without either there is SQLite alone.
Each server is started once per process, when the first test asks for it; so the suites run serially, or with xdist with
one set of servers for each of its processes.
"""

import atexit
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlmodel import SQLModel
from tests.servers.mariadb import MariaDbServer
from tests.servers.mysql import MySqlServer

from omkt_pipeline.db import tables  # noqa: F401 - fills the metadata
from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.migrate import upgrade

Server = MariaDbServer | MySqlServer

SERVERS = [name for name in ("mariadb", "mysql") if os.environ.get(f"OMKT_TEST_{name.upper()}") == "1"]
ENGINES = ["sqlite", *SERVERS]


@functools.cache
def server(name: str) -> Server:
    """The server of this name, started at the first call."""
    started: Server = MariaDbServer() if name == "mariadb" else MySqlServer()
    atexit.register(started.close)
    return started


@contextmanager
def clean_database(engine: str, folder: Path) -> Iterator[Database]:
    """A migrated database without a row."""
    if engine == "sqlite":
        shutil.copy(_sqlite_template(), folder / "farm.db")
        database = Database(f"sqlite:///{folder}/farm.db")
        yield database
        database.close()
        return
    database = _migrated(engine)
    database.transact(_empty)  # again, if what a killed process of the test before had locked is not free yet
    yield database


def _empty(connection: Connection) -> None:
    for table in SQLModel.metadata.sorted_tables:
        connection.execute(table.delete())


@contextmanager
def empty_database(engine: str, folder: Path) -> Iterator[Database]:
    """A database of its own without a table."""
    if engine == "sqlite":
        database = Database(f"sqlite:///{folder}/empty.db")
        yield database
        database.close()
        return
    name = f"empty_{os.urandom(4).hex()}"
    administer(engine, f"CREATE DATABASE {name}")
    database = Database(f"{server(engine).url}/{name}")
    yield database
    database.close()
    administer(engine, f"DROP DATABASE {name}")


def administer(engine: str, statement: str) -> None:
    """Run one statement as the server's root, outside of any database."""
    root = create_engine(server(engine).url, isolation_level="AUTOCOMMIT")
    with root.connect() as connection:
        connection.execute(text(statement))
    root.dispose()


@functools.cache
def _migrated(engine: str) -> Database:
    administer(engine, "CREATE DATABASE farm")
    database = Database(f"{server(engine).url}/farm", pool_size=32)
    upgrade(database)
    return database


@functools.cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="omkt-sqlite-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = Database(f"sqlite:///{folder}/template.db")
    upgrade(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return folder / "template.db"
