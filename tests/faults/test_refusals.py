"""Fault 14: the database refuses. It is read-only, has no connection free, or no room. The work goes on when it takes it."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pymysql
import pytest
from tests.faults.gang import Gang, open_jobs, open_tasks, until_quiet
from tests.servers.databases import administer, clean_database, server

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import Unavailable
from omkt_pipeline.queue.audit import audit, audit_rows
from omkt_pipeline.testing import a_job, a_plan, a_planned_job, an_account


@contextmanager
def read_only(server_name: str) -> Iterator[None]:
    administer(server_name, "SET GLOBAL read_only = 1")
    try:
        yield
    finally:
        administer(server_name, "SET GLOBAL read_only = 0")


@contextmanager
def no_connection_free(server_name: str) -> Iterator[None]:
    """Others hold every connection, and ours are cut."""
    there = server(server_name)
    login = {"host": "127.0.0.1", "port": there.port, "user": "root", "password": there.password}
    root = pymysql.connect(**login, autocommit=True)  # type: ignore[call-overload]
    hogs = []
    try:
        with root.cursor() as cursor:
            cursor.execute("SET GLOBAL max_connections = 10")
            cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'worker'")
            for (connection,) in cursor.fetchall():
                cut(cursor, connection)
        with suppress(pymysql.err.OperationalError):  # too many connections: what we want
            while True:
                hogs.append(pymysql.connect(**(login | {"user": "worker", "password": "secret"})))
        yield
    finally:
        for hog in hogs:
            hog.close()
        with root.cursor() as cursor:
            cursor.execute("SET GLOBAL max_connections = 300")
        root.close()


def cut(cursor: pymysql.cursors.Cursor, connection: int) -> None:
    with suppress(pymysql.err.OperationalError):  # it has gone by itself
        cursor.execute(f"KILL {connection:d}")


@pytest.mark.parametrize("refusing", [read_only, no_connection_free])
def test_work_goes_on_by_itself_when_the_server_takes_it_again(
    server_name: str, refusing: Callable[[str], AbstractContextManager[None]], tmp_path: Path
) -> None:
    with clean_database(server_name, tmp_path) as root:
        account = an_account(root)
        for _ in range(6):
            a_planned_job(root, account, a_plan(encodes=9), callback=None)
        workers = Database(root.url.set(username="worker", password="secret").render_as_string(hide_password=False))
        with a_user_like_any_other(server_name), Gang(workers, tmp_path, size=4, lease_seconds=3.0, slow=0.1) as gang:
            while open_tasks(root) > 50:
                time.sleep(0.05)
            with refusing(server_name):
                with pytest.raises(Unavailable):
                    a_job(workers, account)
                begun = open_tasks(root)
                time.sleep(1.0)
                assert open_tasks(root) == begun, "nothing can be settled"
            until_quiet(root, gang.replace_the_dead, every=0.2, at_most=100)

        workers.close()
        assert open_jobs(root) == 0
        assert audit(root, gang.share.root, deep=True) == []


@contextmanager
def a_user_like_any_other(server_name: str) -> Iterator[None]:
    """Root may write to a server that is read-only; the farm is not root."""
    administer(server_name, "CREATE USER worker@'%' IDENTIFIED BY 'secret'")
    administer(server_name, "GRANT ALL ON farm.* TO worker@'%'")
    try:
        yield
    finally:
        administer(server_name, "DROP USER worker@'%'")


def test_a_database_without_room_says_so_and_goes_on_when_there_is_some(sqlite: Database) -> None:
    account = an_account(sqlite)

    with without_room(sqlite), pytest.raises(Unavailable) as refused:
        fill(sqlite, account)

    assert refused.value.code == "database_full"
    assert audit_rows(sqlite) == []
    a_job(sqlite, account)


def fill(database: Database, account: int) -> None:
    for _ in range(200):
        a_job(database, account)


@contextmanager
def without_room(sqlite: Database) -> Iterator[None]:
    """The file may not grow any more, which SQLite meets as it does a full disk."""
    with sqlite.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        with sqlite.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")
