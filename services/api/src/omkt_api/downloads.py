"""Send a published file: what its row promises, from the share, in blocks."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from io import FileIO
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException
from zipstream import ZipStream

from omkt_api.content_types import content_type
from omkt_api.ranges import Slice, choose
from omkt_pipeline.domain.errors import NotFound, ShareUnusable
from omkt_pipeline.domain.task import Artifact
from omkt_pipeline.queue.overview import PublishedOutput
from omkt_pipeline.storage.share import Share

_BLOCK = 256 << 10
#: Runs blocking work in a thread.
InThread = Callable[[Callable[[], Any]], Awaitable[Any]]
_HEADERS = {
    "Accept-Ranges": "bytes",
    # Published files never change. Only who was allowed to get one may keep it.
    "Cache-Control": "private, max-age=86400, immutable",
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'",
    # Links are made to be put into other sites' pages.
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def answer(
    request: Request,
    share: Share,
    output: PublishedOutput,
    path: str,
    in_thread: InThread,
    accel_prefix: str | None = None,
) -> Response:
    """The response to a GET or HEAD of one file. Blocks on the share while the file is opened.

    With an `accel_prefix` a GET is answered by the proxy before us, which reads the file, or the range that was asked for,
    from its own mount of the share.

    Raises NotFound (file_unknown) for what no row promises, ShareUnusable (file_damaged) when the share breaks a promise.
    """
    artifact = output.files.get(path)
    if artifact is None:
        raise NotFound("The output has no such file.", code="file_unknown")
    etag = f'"{artifact.sha256}"'
    part = choose(request.method, request.headers, size=artifact.bytes, etag=etag)
    headers = _HEADERS | {"ETag": etag}
    if part.status == 304:
        return Response(status_code=304, headers=headers)
    if part.status == 416:
        raise HTTPException(
            416,
            f"The file has {artifact.bytes} bytes; none of them are in this range.",
            headers={"Content-Range": f"bytes */{artifact.bytes}"},
        )
    stream = opened(share, output.folder, artifact)
    if accel_prefix is not None and request.method == "GET":
        stream.close()
        headers["X-Accel-Redirect"] = accel_prefix + quote(f"{output.folder}/{path}")
        return Response(headers=headers, media_type=content_type(path))
    headers["Content-Length"] = str(part.length)
    if part.status == 206:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{artifact.bytes}"
    if request.method == "HEAD":
        stream.close()
        return Response(status_code=part.status, headers=headers, media_type=content_type(path))
    return StreamingResponse(
        _blocks(stream, part, in_thread), status_code=part.status, headers=headers, media_type=content_type(path)
    )


def piece(share: Share, output: PublishedOutput, path: str, part: Slice, in_thread: InThread) -> Response:
    """Bytes of a file as a whole answer of their own. Raises as `answer` does."""
    stream = opened(share, output.folder, output.files[path])
    headers = {"Cache-Control": _HEADERS["Cache-Control"], "Content-Length": str(part.length)}
    blocks = _blocks(stream, part, in_thread)
    return StreamingResponse(blocks, status_code=part.status, headers=headers, media_type=content_type(path))


def archive(share: Share, output: PublishedOutput, in_thread: InThread) -> Response:
    """All files of an output as one zip, uncompressed, made while it is sent. Its length is known beforehand.

    Raises ShareUnusable (file_damaged) for the first file that is not as promised.
    """
    zipped = ZipStream(sized=True)
    for path, artifact in output.files.items():
        zipped.add(_read(share, output.folder, artifact), path, size=artifact.bytes)
    for artifact in output.files.values():
        opened(share, output.folder, artifact).close()
    headers = {
        "Content-Length": str(len(zipped)),
        "Content-Disposition": f'attachment; filename="{output.output_key}.zip"',
        "Cache-Control": _HEADERS["Cache-Control"],
    }
    return StreamingResponse(_pieces(iter(zipped), in_thread), headers=headers, media_type="application/zip")


async def _pieces(blocks: Iterator[bytes], in_thread: InThread) -> AsyncIterator[bytes]:
    while block := await in_thread(partial(next, blocks, b"")):
        yield block


def _read(share: Share, folder: str, artifact: Artifact) -> Iterator[bytes]:
    """The blocks of a file, opened when they are asked for: a ladder has more files than a process may hold open."""
    with opened(share, folder, artifact) as stream:
        while block := stream.read(_BLOCK):
            yield block


def opened(share: Share, folder: str, artifact: Artifact) -> FileIO:
    """The file that a row promises, open. Raises ShareUnusable (file_damaged) when it is not there as promised."""
    path = share.path(f"{folder}/{artifact.path}")
    try:
        # Opening asks the server; only after it are size and content up to date on NFS.
        stream = FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC))
        size = os.fstat(stream.fileno()).st_size
    except OSError as error:
        raise ShareUnusable(
            f"{folder}/{artifact.path} cannot be opened: {error.strerror}", code="file_damaged"
        ) from error
    if size != artifact.bytes:
        stream.close()
        raise ShareUnusable(
            f"{folder}/{artifact.path} is not what was published: {size} bytes, expected {artifact.bytes}",
            code="file_damaged",
        )
    return stream


async def _blocks(stream: FileIO, part: Slice, in_thread: InThread) -> AsyncIterator[bytes]:
    with stream:
        position = part.start
        while position < part.stop:
            block = await in_thread(partial(os.pread, stream.fileno(), min(_BLOCK, part.stop - position), position))
            if not block:
                raise ShareUnusable("A published file became shorter while it was sent.", code="file_damaged")
            position += len(block)
            yield block
