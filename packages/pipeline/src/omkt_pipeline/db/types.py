"""Column types that mean the same on MySQL, MariaDB and SQLite, and the database's own clock."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BINARY, BigInteger, Dialect, Integer, LargeBinary
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import bindparam
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import DateTime, TypeDecorator, TypeEngine

__all__ = ["BigKey", "Instant", "Token", "now", "now_plus"]

#: Autoincrementing keys: SQLite counts only INTEGER ones.
BigKey = BigInteger().with_variant(Integer(), "sqlite")
#: A fencing token: 16 random bytes.
Token = BINARY(16).with_variant(LargeBinary(16), "sqlite")


class Instant(TypeDecorator[datetime]):
    """A moment in UTC with microseconds. Plain DATETIME rounds on MySQL and truncates on MariaDB."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC)


class now(ColumnElement[datetime]):  # noqa: N801 - reads like the SQL function it is
    """The database's clock, the only one that leases and schedules trust."""

    inherit_cache = True
    type = Instant()
    #: Said even though there is nothing to visit: without it every statement with a `now` is compiled anew each time.
    _traverse_internals = []  # noqa: RUF012 - read by SQLAlchemy as it stands


class now_plus(ColumnElement[datetime]):  # noqa: N801
    """The database's clock plus a number of seconds, which may be fractional or negative."""

    inherit_cache = True
    type = Instant()
    _traverse_internals = [  # noqa: RUF012 - read by SQLAlchemy as it stands
        ("seconds", InternalTraversal.dp_clauseelement)
    ]

    def __init__(self, seconds: float | ColumnElement[float]) -> None:
        self.seconds = seconds if isinstance(seconds, ColumnElement) else bindparam(None, float(seconds), unique=True)


@compiles(now, "sqlite")
def _now_sqlite(element: now, compiler: SQLCompiler, **_: Any) -> str:  # noqa: ARG001
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


@compiles(now, "mysql")
@compiles(now, "mariadb")
def _now_mysql(element: now, compiler: SQLCompiler, **_: Any) -> str:  # noqa: ARG001
    return "UTC_TIMESTAMP(6)"


@compiles(now_plus, "sqlite")
def _now_plus_sqlite(element: now_plus, compiler: SQLCompiler, **kw: Any) -> str:
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', ({compiler.process(element.seconds, **kw)}) || ' seconds')"


@compiles(now_plus, "mysql")
@compiles(now_plus, "mariadb")
def _now_plus_mysql(element: now_plus, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(UTC_TIMESTAMP(6) + INTERVAL ({compiler.process(element.seconds, **kw)}) SECOND)"
