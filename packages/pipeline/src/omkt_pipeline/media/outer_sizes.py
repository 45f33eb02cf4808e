"""Whether a file is as long as its outermost elements say: what was cut off on its way is not.

Matroska: RFC 9559 (5.1, the Segment). AVI: RIFF chunks, of which OpenDML has several; each holds its data in a list called
movi, and behind that an index.
"""

from pathlib import Path
from typing import BinaryIO

from omkt_pipeline.media.matroska import segment_end

#: Chunks of OpenDML hold a gigabyte each.
_MOST_CHUNKS = 10_000


def bytes_missing(path: Path, demuxer: str) -> int:
    """How many bytes of a Matroska file, or of the data of an AVI file, are announced behind its end.

    0 for a whole file, and where that can't be told: it announces no size, or is of another kind.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        match demuxer:
            case "matroska":
                end = segment_end(stream)
            case "avi":
                end = _riff_end(stream, size)
            case _:
                end = None
    return 0 if end is None else max(0, end - size)


def _riff_end(stream: BinaryIO, size: int) -> int | None:
    end = 0
    for _ in range(_MOST_CHUNKS):
        if end >= size:
            return end
        stream.seek(end)
        head = stream.read(8)
        if head[:4] != b"RIFF" or len(head) < 8:
            return None
        begin, end = end + 12, end + 8 + _even(head)
        if end > size:
            return _data_end(stream, begin, size) or end
    return None


def _data_end(stream: BinaryIO, at: int, size: int) -> int | None:
    """Where the list of data ends in a RIFF chunk whose first part lies at `at`; None when it does not begin in the file."""
    for _ in range(_MOST_CHUNKS):
        if at >= size:
            break
        stream.seek(at)
        head = stream.read(12)
        at += 8 + _even(head)
        if (head[:4], head[8:]) == (b"LIST", b"movi"):
            return at
    return None


def _even(head: bytes) -> int:
    """Bytes of a chunk's body with its padding."""
    length = int.from_bytes(head[4:8], "little")
    return length + length % 2
