"""The main host's courier tells the farm how the share is exported."""

from pathlib import Path

import structlog

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.exports import faults_of, parse_exports
from omkt_pipeline.queue.exports import report_exports

log = structlog.get_logger(__name__)


class ReportExports:
    """Reads the NFS server's table and writes what it says, and what is wrong with it, into the database."""

    def __init__(self, database: Database, *, table: Path, tree: str) -> None:
        self._database, self._table, self._tree = database, table, tree
        self._told: tuple[str, ...] | None = None

    def __call__(self) -> None:
        """Report once. A table that cannot be read is a server that exports nothing. Raises Unavailable."""
        try:
            exports = parse_exports(self._table.read_text(errors="replace"))
        except OSError:
            exports = ()
        faults = faults_of(exports, self._tree)
        report_exports(self._database, exports, faults)
        if faults != self._told:
            for fault in faults:
                log.error("the share is not safe for other hosts", event_code="exports_unsafe", reason=fault)
            if not faults:
                log.info("the share is exported safely", event_code="exports_safe", tree=self._tree)
            self._told = faults
