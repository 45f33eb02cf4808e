"""Streams of server-sent events, written for thousands of idle listeners: one frame made for all who get it, one task each.

The format is https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from starlette.responses import StreamingResponse

#: A comment, which clients pass over: proxies cut a connection on which nothing is said.
PING = b": ping\n\n"
PING_SECONDS = 15.0
#: How soon a client comes back after a stream that broke off.
_RETRY_MILLISECONDS = 2000

Item = TypeVar("Item")


class EventStream(StreamingResponse):
    """Frames as they come, until the client goes or there are no more."""

    media_type = "text/event-stream"

    # FastAPI reads the status for its schema from this signature.
    def __init__(self, frames: AsyncIterator[bytes], status_code: int = 200) -> None:
        super().__init__(frames, status_code, {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})


def frame(*, event: str, number: int, data: str) -> bytes:
    """An event with its name, its id and one line of JSON."""
    return f"event: {event}\ndata: {data}\nid: {number}\nretry: {_RETRY_MILLISECONDS}\n\n".encode()


async def next_of(queue: asyncio.Queue[Item]) -> Item | bytes:
    """What comes next, or PING when nothing has come for a while."""
    try:
        async with asyncio.timeout(PING_SECONDS):
            return await queue.get()
    except TimeoutError:
        return PING
