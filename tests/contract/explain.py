"""How a real server would run a statement: which index, and whether it must sort or scan."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, text

from omkt_pipeline.db.engine import Database


@dataclass(frozen=True)
class Access:
    """One table of a statement."""

    table: str
    kind: str  #: the server's word: ref, range, ALL, index ...
    key: str | None


@dataclass(frozen=True)
class Explained:
    """A whole statement."""

    statement: str
    accesses: tuple[Access, ...]
    sorts: bool

    @property
    def locks_a_few_of_many(self) -> bool:
        """Whether it takes the first of a queue: if it sorted, it would lock them all."""
        return "LIMIT" in self.statement and "FOR UPDATE" in self.statement


@contextmanager
def recorded(database: Database) -> Iterator[dict[str, Any]]:
    """Yield a dictionary that fills with each different statement that is executed, and its parameters."""
    seen: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        seen.setdefault(statement, parameters[0] if many else parameters)

    for engine in (database.engine, database.reading_engine):
        event.listen(engine, "before_cursor_execute", note)
    yield seen
    for engine in (database.engine, database.reading_engine):
        event.remove(engine, "before_cursor_execute", note)


def explain(database: Database, statement: str, parameters: Any) -> Explained:
    """Ask the server for its plan, as JSON: both servers speak it, each in its own shape."""
    with database.engine.connect() as connection:
        if not connection.dialect.is_mariadb:  # type: ignore[attr-defined]
            connection.execute(text("SET SESSION explain_json_format_version = 1"))
        raw = connection.exec_driver_sql(f"EXPLAIN FORMAT=JSON {statement}", parameters).scalar_one()
    found = list(_walk(json.loads(raw)))
    accesses = tuple(
        Access(table=node["table_name"].strip("`"), kind=node.get("access_type", "none"), key=node.get("key"))
        for _, node in found
        if isinstance(node, dict) and "table_name" in node
    )
    sorts = any((name == "using_filesort" and value is True) or name == "filesort" for name, value in found)
    return Explained(statement=" ".join(statement.split()), accesses=accesses, sorts=sorts)


def _walk(node: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    yield name, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _walk(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value, name)
