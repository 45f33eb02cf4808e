"""Receive an upload: from the socket to the share, block by block, complete and synced or not at all."""

import hashlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

from anyio import CancelScope, to_thread

from omkt_pipeline.domain.errors import Refused, ShareUnusable
from omkt_pipeline.queue.sources import NewMedia
from omkt_pipeline.storage import layout
from omkt_pipeline.storage.share import Share

#: Written at once: large enough for NFS, small enough that a hundred uploads fit the memory.
_BLOCK = 1 << 20
#: How often the room on the share is asked for while an upload runs, in bytes.
_LOOK_EVERY = 64 << 20
UPLOAD_ATTEMPT = "upload"
#: Runs blocking work in a thread.
InThread = Callable[[Callable[[], Any]], Awaitable[Any]]


def demand_room(share: Share, announced: int) -> None:
    """Raise ShareUnusable (share_full) unless the share has room for so many bytes above its floor."""
    if share.free_bytes() < max(announced, 1):
        raise ShareUnusable(f"An upload of {announced} bytes was refused: the share is full.", code="share_full")


async def receive(
    share: Share,
    media_key: str,
    name: str | None,
    blocks: AsyncIterator[bytes],
    in_thread: InThread,
    equal: Callable[[str, int], str | None],
) -> NewMedia:
    """Store the body as the original of a new media; return what is known of it then.

    `equal` tells where the same content lies already: then its bytes are not kept twice.

    Raises Refused (upload_empty) and ShareUnusable (share_full among others); what was written is gone then.
    """
    folder = layout.original_folder(media_key, UPLOAD_ATTEMPT)
    async with (
        _in_threads(share.new_folder(folder), in_thread) as part,
        _in_threads(_File(share, part / "original"), in_thread) as file,
    ):
        async for block in _gathered(blocks):
            await in_thread(partial(file.write, block))
        if not file.size:
            raise Refused("The upload has no bytes.", code="upload_empty")
        digest = file.digest.hexdigest()
        if stored := await to_thread.run_sync(equal, digest, file.size):
            await in_thread(partial(share.merge, part / "original", stored, size=file.size, sha256=digest))
    return NewMedia(name=name, path=f"{folder}/original", bytes=file.size, sha256=digest)


class _File:
    """The original as it grows."""

    def __init__(self, share: Share, path: Path) -> None:
        self._share = share
        self._path = path
        self.size = 0
        self.digest = hashlib.sha256()

    def __enter__(self) -> Self:
        self._stream = self._path.open("xb", buffering=0)
        return self

    def write(self, block: bytearray) -> None:
        if self.size // _LOOK_EVERY != (self.size + len(block)) // _LOOK_EVERY:
            demand_room(self._share, len(block))
        view = memoryview(block)
        while view:
            view = view[self._stream.write(view) :]
        self.digest.update(block)
        self.size += len(block)

    def __exit__(self, *error: object) -> None:
        try:
            if error[0] is None:
                os.fsync(self._stream.fileno())
        finally:
            self._stream.close()


async def _gathered(blocks: AsyncIterator[bytes]) -> AsyncIterator[bytearray]:
    """Fewer and larger blocks: the socket gives what it has, files want more at once."""
    gathered = bytearray()
    async for block in blocks:
        gathered += block
        if len(gathered) >= _BLOCK:
            yield gathered
            gathered = bytearray()
    if gathered:
        yield gathered


@asynccontextmanager
async def _in_threads(manager: AbstractContextManager[Any], in_thread: InThread) -> AsyncIterator[Any]:
    """A context manager whose entry and exit block. The exit happens even when the request was cancelled."""
    value = await in_thread(manager.__enter__)
    try:
        yield value
    except BaseException:
        kind, error, trace = sys.exc_info()
        with CancelScope(shield=True):
            await in_thread(lambda: manager.__exit__(kind, error, trace))
        raise
    else:
        await in_thread(lambda: manager.__exit__(None, None, None))
