"""Fetch: a client's URL becomes an original on the share.

The bytes go straight into the attempt's own folder, hashed on the way; the folder appears under its name when all of
them are there and synced. A connection that breaks is continued where it broke, if the server proves that the file is
still the same; else the download starts again. Nothing that a server announces is believed before it is counted.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import structlog

from omkt_api.connecting import Unanswered, Watch
from omkt_api.original_name import original_name
from omkt_api.outside import IDLE_SECONDS, Answer, Outside, demand_success
from omkt_api.resuming import backoff, content_length, content_range, validator
from omkt_pipeline.domain.effects import Fetched, Settlement
from omkt_pipeline.domain.errors import FetchError, ShareUnusable, Stopped
from omkt_pipeline.domain.task import Artifact, Task
from omkt_pipeline.storage import layout
from omkt_pipeline.worker import TaskContext

log = structlog.get_logger(__name__)

#: Tries in a row that bring nothing, and tries at all, before the attempt gives up and the queue decides.
_FRUITLESS_TRIES = 4
_TRIES = 50
_FREE_CHECK_BYTES = 64 << 20


@dataclass(frozen=True, kw_only=True)
class FetchLimits:
    """How large a source may be and how long fetching it may take."""

    max_bytes: int
    total_seconds: float
    idle_seconds: float = IDLE_SECONDS


def _nothing_equal(_account_id: int, _sha256: str, _size: int) -> str | None:
    return None


class Fetch:
    """The verb, bound to a way to the outside. `equal` knows where the same content of an account lies already."""

    def __init__(
        self,
        *,
        outside: Outside,
        limits: FetchLimits,
        pause_seconds: Callable[[int], float] = backoff,
        address_of: Callable[[Task], str] | None = None,
        equal: Callable[[int, str, int], str | None] = _nothing_equal,
    ) -> None:
        self._outside = outside
        self._limits = limits
        self._pause_seconds = pause_seconds
        self._address_of = address_of or (lambda task: str(task.spec["url"]))
        self._equal = equal

    def __call__(self, ctx: TaskContext) -> Settlement:
        """Fetch the URL of the task. Raises FetchError, Unanswered, ShareUnusable or Stopped."""
        url, media_key = self._address_of(ctx.task), str(ctx.task.spec["media"])
        folder = layout.original_folder(media_key, ctx.task.folder_name)
        watch = Watch.for_seconds(self._limits.total_seconds, ctx.stop)
        with ctx.share.new_folder(folder) as part, (part / layout.ORIGINAL).open("xb") as target:
            download = Download(ctx, self._limits, target)
            self._bring(url, download, watch)
            target.flush()
            os.fsync(target.fileno())
            digest = download.digest.hexdigest()
            if equal := self._equal(ctx.task.account_id, digest, download.size):
                ctx.share.merge(part / layout.ORIGINAL, equal, size=download.size, sha256=digest)
        ctx.report(1.0)
        return Settlement(
            effect=Fetched(path=f"{folder}/{layout.ORIGINAL}", bytes=download.size, sha256=digest, name=download.name),
            folder=folder,
            artifacts=(Artifact(path=layout.ORIGINAL, bytes=download.size, sha256=digest),),
        )

    def _bring(self, url: str, download: "Download", watch: Watch) -> None:
        """Ask until the whole file is there. A server that never answered is left to the queue's patience."""
        fruitless = 0
        for _ in range(_TRIES):
            size_before = download.size
            try:
                with self._outside.get(
                    url, watch=watch, headers=download.range_headers(), idle_seconds=self._limits.idle_seconds
                ) as answer:
                    download.take(answer)
                return
            except Unanswered as error:
                fruitless = 0 if download.resumable and download.size > size_before else fruitless + 1
                if not download.size or fruitless >= _FRUITLESS_TRIES:
                    raise
                log.info("download broken off", event_code="fetch_resumed", code=error.code, bytes=download.size)
            _wait(watch, self._pause_seconds(fruitless))
        raise Unanswered("The server broke the connection off too often.", code="source_interrupted")


class Download:
    """What has arrived of one file, and what is known of it."""

    def __init__(self, ctx: TaskContext, limits: FetchLimits, target: BinaryIO) -> None:
        self._ctx = ctx
        self._limits = limits
        self._target = target
        self._validator: str | None = None
        self._total: int | None = None
        self._checked_free_at = 0
        self.size = 0
        self.digest = hashlib.sha256()
        self.name: str | None = None

    @property
    def resumable(self) -> bool:
        """Whether the server said something by which it can prove that the file is still the same."""
        return self._validator is not None

    def range_headers(self) -> dict[str, str]:
        """What to ask for next: the rest, or all."""
        if self._validator is None or self.size == 0:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": self._validator}

    def take(self, answer: Answer) -> None:
        """Write the body of an answer. Raises Unanswered when it ended early; what arrived is kept."""
        if answer.status == 416 and self.size:
            self._validator = None
            raise Unanswered("The server's file has changed.", code="source_interrupted")
        demand_success(answer, accepted=(200, 203, 206) if self.size else (200, 203))
        _demand_plain(answer)
        if answer.status != 206:
            self._begin_again(answer)
        elif not self._continues(answer):
            self._validator = None
            raise Unanswered("The server did not continue where it broke off.", code="source_interrupted")
        self._check_room()
        for block in answer.blocks:
            self._write(block)
        if self._total is not None and self.size < self._total:
            raise Unanswered("The server sent less than it announced.", code="source_interrupted")

    def _begin_again(self, answer: Answer) -> None:
        """Forget what came before: this answer is the whole file, perhaps another one."""
        self._target.seek(0)
        self._target.truncate()
        self.size = self._checked_free_at = 0
        self.digest = hashlib.sha256()
        self.name = original_name(answer.headers.get("content-disposition"), answer.target.path)
        self._validator = validator(answer.headers)
        self._total = content_length(answer.headers)

    def _continues(self, answer: Answer) -> bool:
        """Whether this is the rest of the same file, from the very next byte."""
        part = content_range(answer.headers)
        if part is None or part.first != self.size or answer.headers.get("etag") not in (None, self._validator):
            return False
        if None not in (part.total, self._total) and part.total != self._total:
            return False
        self._total = part.total or self._total
        return True

    def _write(self, block: bytes) -> None:
        if self.size + len(block) > self._limits.max_bytes:
            raise self._too_large()
        self._target.write(block)
        self.digest.update(block)
        self.size += len(block)
        if self._total:
            self._ctx.report(min(1.0, self.size / self._total))
        if self.size - self._checked_free_at >= _FREE_CHECK_BYTES:
            self._check_room()

    def _check_room(self) -> None:
        """What is still to come must fit; of a file of unknown size, what has come must have fitted."""
        if self._total is not None and self._total > self._limits.max_bytes:
            raise self._too_large()
        self._checked_free_at = self.size
        if (self._total or self.size) - self.size > self._ctx.share.free_bytes():
            raise ShareUnusable("The share has no room for the source.", code="share_full")

    def _too_large(self) -> FetchError:
        return FetchError(
            f"The source is larger than this farm fetches ({self._limits.max_bytes} bytes).", code="source_too_large"
        )


def _demand_plain(answer: Answer) -> None:
    """A body that was packed though we asked for it plain could be a bomb, and its size and ranges mean other bytes."""
    if answer.headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise FetchError("The server sent the file compressed, though it was asked not to.", code="source_encoding")


def _wait(watch: Watch, seconds: float) -> None:
    seconds = watch.remaining(seconds)
    if watch.stop is not None and watch.stop.wait(seconds):
        raise Stopped
