"""The database: two engines over one server, and whole transactions that are tried again when the server asks for it."""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from omkt_pipeline.domain.errors import Unavailable

T = TypeVar("T")
log = structlog.get_logger(__name__)

#: Deadlock, lock wait timeout, and MariaDB's "record has changed since last read": the whole transaction again.
_CONTENTION = frozenset({1213, 1205, 1020})
#: The server went away, refuses or is stopping: connect again first. 1040 too many connections, 1290/1836 read-only.
_DISCONNECTED = frozenset({2006, 2013, 2003, 2055, 1053, 1317, 1927, 1040, 1290, 1836, 4031})
#: The disk, or a table on it, is full: somebody has to make room.
_FULL = frozenset({1021, 1114})
_TRIES = 6
#: A host that vanishes in the middle of a transaction leaves its row locks behind, until the server gives it up after
#: this time. Pooled connections are renewed before that.
_IDLE_SECONDS = 60
#: The same on a host of its own, which may lose its power while the server's keeps it: within a lease, so that whoever
#: rescues its tasks finds them free. On the server's own host, what dies closes its connections.
_IDLE_AFAR_SECONDS = 20
#: Reads hold no locks: their connections may be old, and an idle worker need not log in twice a minute.
_IDLE_READING_SECONDS = 600


class Database:
    """The farm's database. All access goes through `transact` and `read`. `afar`: it is another host's."""

    def __init__(self, url: str, *, password: str | None = None, pool_size: int = 5, afar: bool = False) -> None:
        parsed = make_url(url)
        if password is not None:
            parsed = parsed.set(password=password)
        self.url = parsed
        self._writing, self._reading = (
            _sqlite_engines(parsed) if self.is_sqlite else _mysql_engines(parsed, pool_size=pool_size, afar=afar)
        )

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def engine(self) -> Engine:
        """The engine for transactions; for migrations and for tests that listen in."""
        return self._writing

    @property
    def reading_engine(self) -> Engine:
        """The engine for single statements, without a transaction around them."""
        return self._reading

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reads that need no common snapshot. Raises Unavailable."""
        with translated(), self._reading.connect() as connection:
            yield connection

    def fetch(self, work: Callable[[Connection], T]) -> T:
        """Run reads, again if the server was away for a moment. Raises Unavailable."""

        def look() -> T:
            with self._reading.connect() as connection:
                return work(connection)

        return self._again(look)

    def repeat(self, work: Callable[[Connection], T]) -> T:
        """Run statements each of which is a transaction of its own and may happen twice. Raises Unavailable.

        Between them no row is locked: not even a process that vanishes there keeps anything from others.
        """
        return self.transact(work) if self.is_sqlite else self.fetch(work)

    def transact(self, work: Callable[[Connection], T], *, landed: Callable[[Connection], T | None] | None = None) -> T:
        """Run `work` in one transaction; on contention or a lost connection run it again, whole.

        A COMMIT can succeed although its answer is lost. A `work` that may not happen twice brings `landed`, which is
        asked before every further try whether an earlier one counted, and returns its result if so. Raises Unavailable
        when the database stays away.
        """
        tried = False

        def attempt() -> T:
            nonlocal tried
            if tried and landed is not None:
                earlier = self._once(self._writing, landed)
                if earlier is not None:
                    return earlier
            tried = True
            return self._once(self._writing, work)

        return self._again(attempt)

    def _once(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        with engine.begin() as connection:
            return work(connection)

    def _again(self, attempt: Callable[[], T]) -> T:
        for number in range(1, _TRIES + 1):
            try:
                with translated():
                    return attempt()
            except Unavailable as error:
                if number == _TRIES:
                    raise
                pause = random.uniform(0, min(2.0, 0.02 * 2**number))  # noqa: S311 - jitter, not a secret
                log.info(
                    "database asked to try again", event_code="db_retry", reason=error.code, pause_s=round(pause, 3)
                )
                time.sleep(pause)
        raise AssertionError("unreachable")

    def close(self) -> None:
        self._writing.dispose()
        self._reading.dispose()


@contextmanager
def translated() -> Iterator[None]:
    """Turn what a retry can cure into Unavailable; let programming errors and broken constraints through."""
    try:
        yield
    except PoolTimeoutError as error:
        raise Unavailable("All database connections are in use.", code="database_busy") from error
    except DBAPIError as error:
        code = _error_code(error)
        if code in _CONTENTION:
            raise Unavailable("The database asked to try again.", code="database_contention") from error
        if code in _DISCONNECTED or error.connection_invalidated:
            raise Unavailable(f"The database does not answer: {error.orig}", code="database_away") from error
        if code in _FULL or (isinstance(error.orig, sqlite3.OperationalError) and "is full" in str(error.orig)):
            raise Unavailable(f"The database's disk is full: {error.orig}", code="database_full") from error
        if isinstance(error.orig, sqlite3.OperationalError) and "locked" in str(error.orig):
            raise Unavailable(f"The database is busy: {error.orig}", code="database_contention") from error
        raise


def _error_code(error: DBAPIError) -> int | None:
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def _mysql_engines(url: URL, *, pool_size: int, afar: bool) -> tuple[Engine, Engine]:
    idle_seconds = _IDLE_AFAR_SECONDS if afar else _IDLE_SECONDS
    writing = create_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_reset_on_return=None,  # every transaction was ended by whoever began it
        **_mysql_options(pool_size=pool_size, idle_seconds=idle_seconds),
    )
    # One round trip for one read: nothing to begin, to end or to reset.
    reading = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        pool_reset_on_return=None,
        **_mysql_options(pool_size=pool_size, idle_seconds=_IDLE_READING_SECONDS),
    )
    return writing, reading


def _mysql_options(*, pool_size: int, idle_seconds: int) -> dict[str, Any]:
    return {
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "pool_timeout": 10,
        "pool_recycle": idle_seconds / 2,
        "connect_args": {
            "connect_timeout": 5,
            "read_timeout": 30,
            "write_timeout": 30,
            "charset": "utf8mb4",
            "init_command": f"SET time_zone = '+00:00', innodb_lock_wait_timeout = 5, wait_timeout = {idle_seconds}",
        },
    }


def _sqlite_engines(url: URL) -> tuple[Engine, Engine]:
    writing, reading = (create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}) for _ in range(2))
    for engine in (writing, reading):
        event.listen(engine, "connect", _prepare_sqlite)
    # The write lock is taken at the beginning: a lock that grows from reading to writing fails at once instead of waiting.
    event.listen(writing, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    event.listen(reading, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return writing, reading


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 30000", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
