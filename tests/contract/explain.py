"""How a real server would run a statement: which index, how many rows, and whether it must sort or scan."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement, Connection, text
from sqlalchemy.dialects import mysql


@dataclass(frozen=True)
class Access:
    """One table of a statement."""

    table: str
    kind: str  #: the server's word: ref, range, ALL, index ...
    key: str | None


@dataclass(frozen=True)
class Explained:
    """A whole statement."""

    accesses: tuple[Access, ...]
    sorts: bool
    raw: str

    def key_of(self, table: str) -> str | None:
        return next(access.key for access in self.accesses if access.table == table)


def explain(connection: Connection, statement: ClauseElement) -> Explained:
    """Ask the server for its plan, as JSON: both servers speak it, each in its own shape."""
    if connection.dialect.is_mariadb:  # type: ignore[attr-defined]
        dialect: Any = mysql.dialect(is_mariadb=True)
    else:
        connection.execute(text("SET SESSION explain_json_format_version = 1"))
        dialect = mysql.dialect()
    dialect.supports_for_update_of = connection.dialect.supports_for_update_of  # type: ignore[attr-defined]
    dialect.paramstyle = "named"
    compiled = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    raw = str(connection.exec_driver_sql(f"EXPLAIN FORMAT=JSON {str(compiled).replace('%', '%%')}").scalar_one())
    found = list(_walk(json.loads(raw)))
    accesses = tuple(
        Access(table=node["table_name"].strip("`"), kind=node.get("access_type", "none"), key=node.get("key"))
        for _, node in found
        if isinstance(node, dict) and "table_name" in node
    )
    sorts = any((name == "using_filesort" and value is True) or name == "filesort" for name, value in found)
    return Explained(accesses=accesses, sorts=sorts, raw=raw)


def _walk(node: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    yield name, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _walk(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value, name)
