"""Strays: files on the share that no row leads to. Found by walking the share slowly, and removed when they are old.

A killed API leaves `upload.part`; a worker that was cut off may write after its job was swept. What was touched a day
ago or less is left alone: its row may be written in this moment.
"""

import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import structlog

from omkt_pipeline.db.engine import Database
from omkt_pipeline.queue.strays import wanted_jobs, wanted_media
from omkt_pipeline.storage import layout
from omkt_pipeline.storage.share import Share

log = structlog.get_logger(__name__)

#: Longer than any upload, copy or attempt may go without writing.
OLD_SECONDS = 86400.0
_BATCH = 200


class Strays:
    """The search, bound to a farm. Each call looks at one batch of names, and begins again after the last."""

    def __init__(
        self,
        database: Database,
        share: Share,
        *,
        old_seconds: float = OLD_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._share = share
        self._old_seconds = old_seconds
        self._clock = clock
        self._walk = self._batches()

    def work_once(self) -> None:
        """Look at the next batch."""
        batch = next(self._walk, None)
        if batch is None:
            self._walk = self._batches()
            return
        room, keys = batch
        for stray in self._strays(room, keys):
            if self._is_old(self._share.path(stray)):
                self._share.remove(stray)
                log.info("a stray was removed", event_code="stray_removed", path=stray)

    def _batches(self) -> Iterator[tuple[str, list[str]]]:
        for room in (layout.ORIGINALS, layout.STAGING, layout.RESULTS):
            names = (entry.name for entry in self._share.path(room).iterdir() if not entry.name.startswith("."))
            while batch := list(islice(names, _BATCH)):
                yield room, batch

    def _strays(self, room: str, keys: list[str]) -> Iterator[str]:
        if room == layout.ORIGINALS:
            wanted = wanted_media(self._database, keys)
            for key in keys:
                folder = layout.media_originals(key)
                yield from self._parts(folder) if key in wanted else [folder]
            return
        jobs = wanted_jobs(self._database, keys)
        for key in keys:
            if key in jobs.whole:
                continue
            kept = jobs.folders.get(key, ()) if room == layout.RESULTS else ()
            folder = f"{room}/{key}"
            yield from self._others(folder, kept) if kept else [folder]

    def _parts(self, folder: str) -> Iterator[str]:
        """What attempts that never ended left of a media that lives."""
        for path in self._share.path(folder).glob(f"*{layout.PART}"):
            yield path.relative_to(self._share.root).as_posix()

    def _others(self, folder: str, kept: tuple[str, ...]) -> Iterator[str]:
        """Attempts below a job's results that are not those its outputs promise."""
        for path in self._share.path(folder).glob("*/*"):
            relative = path.relative_to(self._share.root).as_posix()
            if relative not in kept:
                yield relative

    def _is_old(self, path: Path) -> bool:
        """Whether nothing in it was touched for long. The share's clock may differ from ours by minutes, not by a day."""
        try:
            touched = max(one.lstat().st_mtime for one in (path, *path.rglob("*")))
        except FileNotFoundError:
            return False  # somebody is at it
        return touched < self._clock() - self._old_seconds
