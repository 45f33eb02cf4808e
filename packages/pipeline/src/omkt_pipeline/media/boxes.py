"""Reads the headers of MP4 files that we made ourselves: which frames are where, without decoding or another process."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from omkt_pipeline.domain.errors import VerifyError

_CONTAINERS = frozenset(
    {
        b"moov",
        b"trak",
        b"mdia",
        b"minf",
        b"stbl",
        b"stsd",
        b"avc1",
        b"hvc1",
        b"av01",
        b"vp09",
        b"mp4a",
        b"moof",
        b"traf",
    }
)
#: How many bytes of fields come before the boxes inside these.
_FIELDS_BEFORE = {b"stsd": 8, b"avc1": 78, b"hvc1": 78, b"av01": 78, b"vp09": 78, b"mp4a": 28}


def codec_string(init: bytes) -> str:
    """The RFC 6381 name of the picture of an initialisation segment or MP4 file, for example avc1.64001f."""
    names = {b"avcC": _avc1, b"hvcC": _hvc1, b"av1C": _av01, b"vpcC": _vp09}
    for kind, body in walk(init):
        if kind in names and len(body) > 3:
            return names[kind](body)
    raise VerifyError("The video track has no decoder configuration.")


def _avc1(body: bytes) -> str:
    return f"avc1.{body[1:4].hex()}"


def _hvc1(body: bytes) -> str:
    """ISO/IEC 14496-15, annex E.3: profile, compatibility with its bits turned round, tier and level, constraints."""
    space, tier, profile = body[1] >> 6, body[1] >> 5 & 1, body[1] & 31
    compatible = int(f"{int.from_bytes(body[2:6], 'big'):032b}"[::-1], 2)
    constraints = body[6:12].rstrip(b"\0")
    level = f"{'H' if tier else 'L'}{body[12]}"
    return ".".join(
        ("hvc1", f"{' ABC'[space].strip()}{profile}", f"{compatible:X}", level, *(f"{c:X}" for c in constraints))
    )


def _av01(body: bytes) -> str:
    """AV1 in ISOBMFF, section 5: profile, level and tier, bit depth."""
    high, twelve = body[2] >> 6 & 1, body[2] >> 5 & 1
    depth = 8 + 2 * high + 2 * (high & twelve)
    return f"av01.{body[1] >> 5}.{body[1] & 31:02d}{'H' if body[2] >> 7 else 'M'}.{depth:02d}"


def _vp09(body: bytes) -> str:
    """VP codecs in ISOBMFF, codecs parameter string: profile, level, bit depth."""
    return f"vp09.{body[4]:02d}.{body[5]:02d}.{body[6] >> 4:02d}"


def timescale(init: bytes) -> int:
    """Units per second of the only track."""
    for kind, body in walk(init):
        if kind == b"mdhd":
            return int.from_bytes(body[20:24] if body[0] == 1 else body[12:16], "big")
    raise VerifyError("The track has no clock.")


def walk_file(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """The boxes of all fragments of a file, without reading the media itself."""
    with path.open("rb") as stream:
        for kind, size in outermost(stream):
            if kind == b"moof":
                yield from walk(stream.read(size))
            else:
                stream.seek(size, 1)


def outermost(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Kind and size of the body of each box; who takes one leaves the stream at the box's end."""
    while len(head := stream.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        if size == 1:
            size = int.from_bytes(stream.read(8), "big") - 8
        if size < 8:
            raise VerifyError(f"{stream.name} is not well formed.")
        yield kind, size - 8


def read_box(path: Path, wanted: bytes) -> bytes | None:
    """The body of the first box of this kind at the outermost level of a file; None when there is none, or not all of it."""
    with path.open("rb") as stream:
        for kind, size in outermost(stream):
            if kind == wanted:
                body = stream.read(size)
                return body if len(body) == size else None
            stream.seek(size, 1)
    return None


def walk(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """All boxes, outer ones before those inside them."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > len(data):
            return
        body = data[at + 8 : at + size]
        yield kind, body
        if kind in _CONTAINERS:
            yield from walk(body[_FIELDS_BEFORE.get(kind, 0) :])
        at += size


def children(data: bytes) -> list[tuple[bytes, bytes]]:
    """The boxes side by side in the body of another; what follows a broken one is left out."""
    found, at = [], 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8:
            break
        found.append((kind, data[at + 8 : at + size]))
        at += size
    return found
