"""Presets of the farm's own: stored by its operators, known to every process beside those that come with it."""

import threading
import time
from collections.abc import Iterator, Mapping

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, delete, insert, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import preset as table
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.errors import NotFound
from omkt_pipeline.domain.preset import Preset

_adapter: TypeAdapter[Preset] = TypeAdapter(Preset)
#: How long another process may work with what a preset was before.
_KNOWN_SECONDS = 2.0


class KnownPresets(Mapping[str, Preset]):
    """All presets of a farm by id, as they were at most two seconds ago. One that is not known is looked for at once."""

    def __init__(self, database: Database, shipped: Mapping[str, Preset]) -> None:
        self._database, self._shipped = database, shipped
        self._own: Mapping[str, Preset] = {}
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> Preset:
        if name in self._shipped:
            return self._shipped[name]
        own = self._fresh()
        return own[name] if name in own else self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._shipped, **self._fresh()})

    def __len__(self) -> int:
        return len(self._shipped.keys() | self._fresh().keys())

    def ships(self, name: str) -> bool:
        """Whether a preset comes with the farm, so that nobody can change it."""
        return name in self._shipped

    def forget(self) -> None:
        """Read anew at the next question: this process changed something."""
        self._read_at = float("-inf")

    def _fresh(self) -> Mapping[str, Preset]:
        return self._own if time.monotonic() - self._read_at < _KNOWN_SECONDS else self._read()

    def _read(self) -> Mapping[str, Preset]:
        with self._lock:
            self._own, self._read_at = stored(self._database), time.monotonic()
            return self._own


def stored(database: Database) -> dict[str, Preset]:
    """The farm's own presets by id. One that this version does not understand is left out: a later one stored it."""
    rows = database.fetch(
        lambda connection: connection.execute(select(table.c.id, table.c.version, table.c.body)).all()
    )
    found = {}
    for row in rows:
        try:
            found[row.id] = _adapter.validate_python({**row.body, "id": row.id, "version": row.version})
        except ValidationError:
            continue
    return found


def put(database: Database, wanted: Preset) -> Preset:
    """Store a preset under its id. Its version is one above that of the one it replaces, unless both are equal."""
    body = wanted.model_dump(mode="json", exclude={"id", "version"})

    def write(connection: Connection) -> int:
        known = connection.execute(
            select(table.c.version, table.c.body).where(table.c.id == wanted.id).with_for_update()
        ).first()
        if known is None:
            connection.execute(insert(table).values(id=wanted.id, version=1, body=body, changed_at=now()))
            return 1
        if known.body == body:
            return int(known.version)
        version = int(known.version) + 1
        values = {"version": version, "body": body, "changed_at": now()}
        connection.execute(update(table).where(table.c.id == wanted.id).values(values))
        return version

    return wanted.model_copy(update={"version": database.transact(write)})


def remove(database: Database, name: str) -> None:
    """Let a preset go; jobs that were planned with it go on. Raises NotFound (preset_unknown)."""
    gone = database.transact(lambda connection: connection.execute(delete(table).where(table.c.id == name)).rowcount)
    if not gone:
        raise NotFound(f"The farm has no preset {name[:64]!r} of its own.", code="preset_unknown")
