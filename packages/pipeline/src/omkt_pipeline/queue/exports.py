"""The main host's word on what its NFS server exports, for hosts that work on it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import case, select, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import farm
from omkt_pipeline.db.types import now, now_plus
from omkt_pipeline.domain.exports import Export

_LOOK_SECONDS = 5.0
#: The courier reports every ten seconds. A word older than this says nothing about what is exported now.
RECENT_SECONDS = 120.0


def report_exports(database: Database, exports: Sequence[Export], faults: Sequence[str]) -> None:
    """Note what is exported now, and what is wrong with it."""
    shown = [{"path": export.path, "client": export.client, "options": sorted(export.options)} for export in exports]
    statement = update(farm).values(exports={"exports": shown, "faults": list(faults)}, exports_at=now())
    database.transact(lambda connection: connection.execute(statement).rowcount)


def export_faults(database: Database, *, recent_seconds: float = RECENT_SECONDS) -> tuple[str, ...]:
    """Why the share is not safe to work on from another host; nothing when the main host said lately that it is."""
    recent = case((farm.c.exports_at >= now_plus(-recent_seconds), 1), else_=0)
    found = database.fetch(lambda connection: connection.execute(select(farm.c.exports, recent)).first())
    if found is None or found[0] is None:
        return (
            "The main host has not said yet how it exports the share. Its courier does; is it up, and does OMKT_ROLE=main "
            "stand in the main host's .env?",
        )
    if not found[1]:
        return (
            f"The main host has not said for {recent_seconds:.0f} s how it exports the share. Its courier does; is it up? "
            "On the main host: docker compose ps courier",
        )
    return tuple(found[0]["faults"])


@dataclass
class ExportsGate:
    """Asked before every claim of a host that works over NFS; looks into the database every few seconds."""

    database: Database
    clock: Callable[[], float] = time.monotonic
    _looked: float = field(default=float("-inf"))
    _reason: str | None = None

    def why_closed(self) -> str | None:
        """The first reason not to work here, or None. Raises Unavailable."""
        if self.clock() - self._looked >= _LOOK_SECONDS:
            self._reason = next(iter(export_faults(self.database)), None)
            self._looked = self.clock()
        return self._reason
