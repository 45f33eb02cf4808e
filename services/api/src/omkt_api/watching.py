"""Jobs that are watched: each one's view at once and again at each change, until it has ended.

One look at the database for all watched jobs of a process: between two looks a listener holds neither a connection nor a thread.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from anyio import to_thread

from omkt_api.streams import frame, next_of
from omkt_api.views import Renderer
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import Unavailable
from omkt_pipeline.domain.job import JobView
from omkt_pipeline.queue.overview import jobs_by_keys

POLL_SECONDS = 0.5


@dataclass(eq=False)
class _Watcher:
    """A listener: what it was shown or is about to be, and the newest that it has not taken; None when there is no such job."""

    shown: JobView | None
    newest: asyncio.Queue[JobView | None]
    tasks: bool  #: it wants to hear of each unit of work

    def hear(self, now: JobView | None) -> None:
        if now == self.shown and not (self.tasks and self._other_steps(now)):
            return
        self.shown = now
        if self.newest.full():
            self.newest.get_nowait()
        self.newest.put_nowait(now)

    def _other_steps(self, now: JobView | None) -> bool:
        return now is not None and self.shown is not None and now.steps != self.shown.steps


class Watch:
    """Who watches which job. All of it runs in the server's loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watchers: dict[str, set[_Watcher]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def changes(self, first: JobView, render: Renderer, *, tasks: bool = False) -> AsyncIterator[bytes]:
        """Yield frames of events named `job`, whose data is the job, with its `tasks` if they are wanted."""
        watcher = _Watcher(first, asyncio.Queue(1), tasks)
        self._watchers.setdefault(first.key, set()).add(watcher)
        self._look_on()
        told = render.watched if tasks else render.job
        try:
            shown: JobView | None = first
            number = 0
            while shown is not None:
                number += 1
                yield frame(event="job", number=number, data=told(shown).model_dump_json())
                if shown.state.is_final:
                    return
                while isinstance(coming := await next_of(watcher.newest), bytes):
                    yield coming
                shown = coming
        finally:
            self._leave(first.key, watcher)

    def _leave(self, key: str, watcher: _Watcher) -> None:
        mine = self._watchers[key]
        mine.discard(watcher)
        if not mine:
            del self._watchers[key]

    def _look_on(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while self._watchers:
            await asyncio.sleep(POLL_SECONDS)
            asked = list(self._watchers)
            with suppress(Unavailable):  # the database comes back, or the clients go
                found = await to_thread.run_sync(jobs_by_keys, self._database, asked)
                for key in asked:
                    for watcher in tuple(self._watchers.get(key, ())):
                        watcher.hear(found.get(key))
