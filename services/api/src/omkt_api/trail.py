"""What clients change, for the trail: each request that changed something, by the name of its operation."""

import structlog
from anyio import to_thread
from fastapi import Request, Response

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.account import Account
from omkt_pipeline.domain.errors import Unavailable
from omkt_pipeline.queue.trail import record

log = structlog.get_logger(__name__)

#: What changes nothing, or stands in the row of its job or upload with its owner and its time.
_NOT_WRITTEN = frozenset({"make_plan", "submit_job", "bring_media", "upload", "put_upload", "continue_upload"})


async def leave_trail(
    database: Database, request: Request, response: Response, *, operation: str, caller: Account
) -> None:
    """Record that a request changed something. A database that is away now does not undo what is done: it is logged instead."""
    if request.method in ("GET", "HEAD", "OPTIONS") or operation in _NOT_WRITTEN or response.status_code >= 400:
        return
    target = response.headers.get("location") or request.url.path
    address = request.client.host if request.client else None

    def write() -> None:
        record(database, operation, target, account_id=caller.id, key_id=caller.key_id, address=address)

    try:
        await to_thread.run_sync(write)
    except Unavailable as error:
        told = {"operation": operation, "target": target, "account": caller.name, "key": caller.key_id}
        log.warning("trail not written", event_code="trail_lost", reason=error.message, **told)
