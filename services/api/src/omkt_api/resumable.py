"""Receive a resumable upload: append to a file on the share; the row follows what is synced, never the other way round.

An API that dies at any byte loses at most what was not yet synced; the row says where to go on, and what lies beyond
that in the file is cut off. One request writes at a time: it holds a lease, and looks at it before it writes.
"""

import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from anyio import CancelScope, to_thread

from omkt_api.tus import Checksum
from omkt_api.uploads import UPLOAD_ATTEMPT, InThread, demand_room
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import Conflict, LeaseLost, TooLarge
from omkt_pipeline.queue.media import equal_original
from omkt_pipeline.queue.uploads import Hold, advance_upload, complete_upload, hold_upload, let_go
from omkt_pipeline.storage import layout
from omkt_pipeline.storage.share import Share

#: A request that has sent nothing for so long may be pushed aside by another.
LEASE_SECONDS = 10.0
#: Uploads that nobody continues are given up after this.
KEEP_SECONDS = 86400.0
#: How much, and how long, may be received before it is synced and counted.
_SAVE_BYTES = 2 << 20
_SAVE_SECONDS = 1.0
_WRITE_BYTES = 1 << 20
_READ_BYTES = 4 << 20
_DIGESTS_KEPT = 1000


class Receiver:
    """The verb, bound to a farm."""

    def __init__(self, database: Database, share: Share, on_share: InThread) -> None:
        self._database = database
        self._share = share
        self._on_share = on_share
        #: Hashes of what was received by this process, so that a whole file need not be read again.
        self._digests: dict[str, tuple[int, Any]] = {}

    async def append(
        self, account_id: int, key: str, offset: int, body: AsyncIterator[bytes], checksum: Checksum | None
    ) -> int:
        """Append the body at `offset`; return how many bytes are safe then. The last of them makes the upload whole.

        Raises NotFound, Conflict (upload_busy, upload_offset), TooLarge (upload_too_long), Refused (checksum_mismatch),
        ShareUnusable.
        """
        hold = await to_thread.run_sync(
            partial(hold_upload, self._database, account_id, key, lease_seconds=LEASE_SECONDS)
        )
        try:
            if offset != hold.received:
                raise Conflict(f"The upload goes on at byte {hold.received}, not {offset}.", code="upload_offset")
            part = await self._on_share(lambda: _Part(self._share, hold, self._digest_of(hold)))
            try:
                return await self._take(account_id, hold, part, body, checksum)
            finally:
                with CancelScope(shield=True):
                    await self._on_share(part.close)
        except LeaseLost:
            raise Conflict("Another request has taken this upload over.", code="upload_busy") from None
        finally:
            with CancelScope(shield=True):
                await to_thread.run_sync(let_go, self._database, hold)

    async def _take(
        self, account_id: int, hold: Hold, part: "_Part", body: AsyncIterator[bytes], checksum: Checksum | None
    ) -> int:
        rest = bytearray()
        try:
            async for block in body:
                rest += block
                if len(rest) >= _WRITE_BYTES:
                    full, rest = rest, bytearray()
                    await self._put(part, full, checksum)
        except BaseException:
            # The connection broke, or the request was told to end: what has come is kept, unless it must be checked whole.
            if checksum is None:
                with CancelScope(shield=True):
                    await self._put(part, rest, None)
                    await self._settle(account_id, hold, part)
            raise
        await self._put(part, rest, checksum)
        if checksum is not None:
            checksum.check()
        await self._settle(account_id, hold, part)
        return part.size

    async def _put(self, part: "_Part", block: bytearray, checksum: Checksum | None) -> None:
        if part.is_stale:
            await self._save(part, count=checksum is None)
        await self._on_share(partial(part.write, block))
        if checksum is not None:
            checksum.update(block)
        elif part.is_worth_saving:
            await self._save(part)

    async def _settle(self, account_id: int, hold: Hold, part: "_Part") -> None:
        await self._on_share(part.sync)
        self._remember(hold.key, part)
        if part.size < hold.length:
            await self._save(part)
            return
        if part.digest is None:
            await self._read_again(part)
        digest = part.digest.hexdigest()
        find = partial(equal_original, self._database, account_id, sha256=digest, size=part.size)
        if stored := await to_thread.run_sync(find):
            merge = partial(self._share.merge, self._share.path(part.path), stored, size=part.size, sha256=digest)
            await self._on_share(merge)
        complete = partial(complete_upload, self._database, hold, path=part.path, sha256=digest)
        await to_thread.run_sync(complete)
        self._digests.pop(hold.key, None)

    async def _save(self, part: "_Part", *, count: bool = True) -> None:
        """Sync, then count; or only hold on to the lease. The last byte is counted by the end of the upload alone."""
        if count and part.size < part.hold.length:
            await self._on_share(part.sync)
            part.saved = part.size
        renew = partial(advance_upload, lease_seconds=LEASE_SECONDS, keep_seconds=KEEP_SECONDS)
        await to_thread.run_sync(renew, self._database, part.hold, part.saved)
        part.looked = time.monotonic()

    async def _read_again(self, part: "_Part") -> None:
        """Hash a file that several processes received."""
        digest = hashlib.sha256()
        for position in range(0, part.size, _READ_BYTES):
            digest.update(await self._on_share(partial(part.read, position)))
            if part.is_stale:
                await self._save(part, count=False)
        part.digest = digest

    def _digest_of(self, hold: Hold) -> Any:
        """The hash of the first `received` bytes, if this process knows it."""
        if hold.received == 0:
            return hashlib.sha256()
        at, digest = self._digests.get(hold.key, (-1, None))
        return digest.copy() if at == hold.received and digest is not None else None

    def _remember(self, key: str, part: "_Part") -> None:
        if len(self._digests) >= _DIGESTS_KEPT:
            self._digests.clear()
        if part.digest is not None:
            self._digests[key] = (part.size, part.digest.copy())


class _Part:
    """The file while one request appends to it."""

    def __init__(self, share: Share, hold: Hold, digest: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = f"{layout.original_folder(hold.key, UPLOAD_ATTEMPT)}/original"
        self.hold = hold
        self.size = self.saved = hold.received
        self.digest = digest
        self._share = share
        self._clock = clock
        self._stream = share.growing_file(self.path, size=hold.received)
        self.looked = clock()

    @property
    def is_stale(self) -> bool:
        """The lease must be looked at before anything is written."""
        return self._clock() - self.looked > LEASE_SECONDS / 2

    @property
    def is_worth_saving(self) -> bool:
        return self.size - self.saved >= _SAVE_BYTES or self._clock() - self.looked > _SAVE_SECONDS

    def write(self, block: bytes | bytearray) -> None:
        if self.size + len(block) > self.hold.length:
            raise TooLarge(f"The upload was announced with {self.hold.length} bytes.", code="upload_too_long")
        if self.size // _SAVE_BYTES != (self.size + len(block)) // _SAVE_BYTES:
            demand_room(self._share, len(block))
        view = memoryview(block)
        while view:
            view = view[self._stream.write(view) or 0 :]
        if self.digest is not None:
            self.digest.update(block)
        self.size += len(block)

    def read(self, position: int) -> bytes:
        return os.pread(self._stream.fileno(), _READ_BYTES, position)

    def sync(self) -> None:
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        self._stream.close()
