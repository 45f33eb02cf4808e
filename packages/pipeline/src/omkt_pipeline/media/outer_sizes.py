"""Whether a file is as long as its outermost elements say: what was cut off on its way is not.

Matroska: RFC 9559 (5.1, the Segment) and RFC 8794 (4 and 6, variable sizes; all ones is an unknown one). AVI: RIFF chunks, of
which OpenDML has several; each holds its data in a list called movi, and behind that an index.
"""

from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT = bytes.fromhex("1a45dfa3"), bytes.fromhex("18538067")
_LONGEST_SIZE = 8  #: bytes
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
                end = _segment_end(stream)
            case "avi":
                end = _riff_end(stream, size)
            case _:
                end = None
    return 0 if end is None else max(0, end - size)


def _segment_end(stream: BinaryIO) -> int | None:
    if stream.read(4) != _EBML:
        return None
    header = _element_size(stream)
    if header is None:
        return None
    stream.seek(header, 1)
    if stream.read(4) != _SEGMENT:
        return None
    segment = _element_size(stream)
    return None if segment is None else stream.tell() + segment


def _element_size(stream: BinaryIO) -> int | None:
    first = stream.read(1)
    length = _LONGEST_SIZE + 1 - first[0].bit_length() if first else _LONGEST_SIZE + 1
    data = first + stream.read(length - 1)
    if length > _LONGEST_SIZE or len(data) != length:
        return None
    bits = 7 * length
    value = int.from_bytes(data, "big") & (1 << bits) - 1
    return None if value == (1 << bits) - 1 else value


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
