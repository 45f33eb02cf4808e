"""The events of an account as they happen: one look at the database for all listeners of a process."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from dataclasses import dataclass

from anyio import to_thread

from omkt_api.streams import frame, next_of
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import Unavailable
from omkt_pipeline.queue.feed import Happening, after, recent

POLL_SECONDS = 0.25
#: A transaction that began so long ago may still bring an event.
_LOOK_BACK_SECONDS = 15.0
#: A listener that takes nothing is let go with so many waiting; it comes back with Last-Event-ID.
_WAITING = 1000


@dataclass(frozen=True)
class _Told:
    """An event in the form in which every listener gets it."""

    id: int
    topic: str
    frame: bytes


_Queue = asyncio.Queue[_Told | None]


class Feed:
    """What happens, handed to those who listen. All of it runs in the server's loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: dict[int, set[_Queue]] = {}
        self._seen: frozenset[int] = frozenset()
        self._looking: asyncio.Task[None] | None = None
        self._begun = asyncio.Event()

    async def listen(self, account_id: int, last: int | None, topics: Collection[str] = ()) -> AsyncIterator[bytes]:
        """Yield an account's events of these topics (none: of all) as frames: those after `last`, then those to come."""
        queue: _Queue = asyncio.Queue(_WAITING)
        self._listeners.setdefault(account_id, set()).add(queue)
        try:
            await self._look_on()
            heard: deque[int] = deque(maxlen=2 * _WAITING)
            if last is not None:
                async for told in self._since(account_id, last):
                    heard.append(told.id)
                    if not topics or told.topic in topics:
                        yield told.frame
            while (coming := await next_of(queue)) is not None:
                if isinstance(coming, bytes):
                    yield coming
                elif coming.id not in heard and (not topics or coming.topic in topics):
                    yield coming.frame
        finally:
            self._leave(account_id, queue)

    async def _since(self, account_id: int, last: int) -> AsyncIterator[_Told]:
        while batch := await to_thread.run_sync(after, self._database, account_id, last):
            for happening in batch:
                yield _told(happening)
            last = batch[-1].id

    async def _look_on(self) -> None:
        """Begin to look, if nobody does yet; return when what happens from now on is seen."""
        if self._looking is None or self._looking.done():
            self._begun = asyncio.Event()
            self._looking = asyncio.create_task(self._look())
        await self._begun.wait()

    async def _look(self) -> None:
        while self._listeners:
            with suppress(Unavailable):  # it comes back, and what happened meanwhile is in its rows
                found = await to_thread.run_sync(lambda: recent(self._database, seconds=_LOOK_BACK_SECONDS))
                if self._begun.is_set():
                    for happening in found:
                        if happening.id not in self._seen:
                            self._hand_out(happening)
                self._seen = frozenset(happening.id for happening in found)
                self._begun.set()
            await asyncio.sleep(POLL_SECONDS)

    def _hand_out(self, happening: Happening) -> None:
        told = _told(happening)
        for queue in tuple(self._listeners.get(happening.account_id, ())):
            try:
                queue.put_nowait(told)
            except asyncio.QueueFull:
                self._leave(happening.account_id, queue)
                queue.get_nowait()
                queue.put_nowait(None)

    def _leave(self, account_id: int, queue: _Queue) -> None:
        mine = self._listeners.get(account_id, set())
        mine.discard(queue)
        if not mine:
            self._listeners.pop(account_id, None)


def _told(happening: Happening) -> _Told:
    data = json.dumps({"type": happening.topic, "at": happening.at.isoformat(), "data": happening.body})
    return _Told(happening.id, happening.topic, frame(event=happening.topic, number=happening.id, data=data))
