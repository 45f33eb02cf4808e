"""A job's events: its view at once, and again at each change, until it has ended."""

from collections.abc import AsyncIterator

import anyio
from anyio import to_thread
from fastapi.sse import ServerSentEvent

from omkt_api.views import Renderer
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import OmktError, Unavailable
from omkt_pipeline.domain.job import JobView
from omkt_pipeline.queue.overview import job_by_key

POLL_SECONDS = 0.5


async def changes(database: Database, first: JobView, render: Renderer) -> AsyncIterator[ServerSentEvent]:
    """Events named `job`, whose data is the job. Between two looks no connection and no thread is held."""
    shown, number = first, 1
    yield _event(first, number, render)
    while not shown.state.is_final:
        await anyio.sleep(POLL_SECONDS)
        try:
            now = await to_thread.run_sync(job_by_key, database, first.account_id, first.key)
        except Unavailable:
            continue  # the database comes back, or the client goes
        except OmktError:
            return  # the job is no more
        if now != shown:
            shown, number = now, number + 1
            yield _event(now, number, render)


def _event(view: JobView, number: int, render: Renderer) -> ServerSentEvent:
    return ServerSentEvent(data=render.job(view), event="job", id=str(number), retry=2000)
