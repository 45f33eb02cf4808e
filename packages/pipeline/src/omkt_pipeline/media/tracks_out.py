"""Sounds copied out of an MP4 or QuickTime film by the tables in its header, which say where each lies: without ffmpeg.

The copy's header is the film's without the other tracks, and its samples are the film's bytes; only the offsets in `stco` or
`co64` are new (ISO/IEC 14496-12, 8.7.5). So a reader is given the film's packets with the film's times.
"""

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from itertools import repeat, takewhile
from operator import gt
from pathlib import Path
from typing import BinaryIO

from omkt_pipeline.domain.errors import VerifyError
from omkt_pipeline.media.boxes import children, outermost
from omkt_pipeline.media.extent import NotPlainError
from omkt_pipeline.media.movie_tables import Data, TrackTables, movie_of, tables_of

#: The container that has such tables, as ffmpeg's demuxer is called.
TABLED = "mov"
#: Sample entries whose samples have the sizes that the tables say; of others (PCM) QuickTime means something else.
_SIZED = frozenset({b"mp4a", b"alac", b"ac-3", b"ec-3", b"Opus", b"fLaC", b".mp3"})
#: Tables that hold offsets or sizes in a way that is not read here.
_NOT_PLAIN = frozenset({b"stz2", b"senc", b"saio", b"saiz"})
#: Bytes that are read in one go, and between two chunks that are not worth a second one.
_AT_ONCE = 4 << 20
_BESIDE = 64 << 10
_WIDE = 16  #: bytes of a box's head with a size of 64 bits


def copy_sounds(
    source: Path, target: Path, indexes: Sequence[int], *, most_bytes: int, moved: Callable[[float], None]
) -> bool:
    """Copy tracks of `source`, counted from 0, in the film's order. False, and nothing of use in `target`, where the header
    does not plainly say where they lie, or that is more than `most_bytes`.

    `moved` hears how much is done, from 0 to 1, and may raise to stop.
    """
    try:
        movie = movie_of(source)
        datas = _datas(movie, indexes)
        with source.open("rb") as film, target.open("wb") as copy:
            there = os.fstat(film.fileno()).st_size
            head = _head(film)
            amount = sum(sum(data.sizes) for data in datas.values())
            if any(data.end > there for data in datas.values()) or amount > min(there, most_bytes):
                return False
            copy.write(head + struct.pack(">I4sQ", 1, b"mdat", _WIDE + amount))
            offsets = _places(datas, len(head) + _WIDE)
            done = 0
            for piece in _pieces(film, datas):
                copy.write(piece)
                done += len(piece)
                moved(done / amount)
            copy.write(_box(b"moov", _movie(movie, offsets)))
            return done == amount
    except (NotPlainError, VerifyError, struct.error, IndexError, KeyError):
        return False


def _datas(movie: list[tuple[bytes, bytes]], indexes: Sequence[int]) -> dict[int, Data]:
    """Where the samples of the wanted tracks lie. Raises NotPlainError."""
    tracks = tables_of(movie)
    before = takewhile(lambda name: name != b"trak", (name for name, _ in movie))
    # A cover is a stream too, and is counted where its box stands.
    if {b"udta", b"meta"} & set(before):
        raise NotPlainError
    return {index: _data(tracks[index]) for index in sorted(set(indexes))}


def _data(track: TrackTables) -> Data:
    boxes = track.boxes
    entries = children(boxes[b"stsd"][8:])
    if not entries or any(kind not in _SIZED for kind, _ in entries) or _NOT_PLAIN & boxes.keys():
        raise NotPlainError
    if boxes[b"hdlr"][8:12] != b"soun" or struct.unpack_from(">I", boxes[b"stsz"], 4)[0]:
        raise NotPlainError
    data = track.data(track.sizes())
    if any(map(gt, data.offsets, data.offsets[1:])):
        raise NotPlainError
    return data


def _head(film: BinaryIO) -> bytes:
    """The film's declaration of its kind, which has to stand first; QuickTime's has none."""
    kind, size = next(outermost(film))
    return _box(kind, film.read(size)) if kind == b"ftyp" and size < _BESIDE else b""


def _in_order(datas: dict[int, Data]) -> Iterator[tuple[int, int, int]]:
    """Offset, size and track of all chunks, as they follow each other in the film."""
    return merge(*(zip(data.offsets, data.sizes, repeat(index), strict=False) for index, data in datas.items()))


def _places(datas: dict[int, Data], first: int) -> dict[int, list[int]]:
    """The offsets of each track's chunks in the copy, where they follow each other as in the film, without what is between."""
    places: dict[int, list[int]] = {index: [] for index in datas}
    at = first
    for _, size, index in _in_order(datas):
        places[index].append(at)
        at += size
    return places


def _pieces(film: BinaryIO, datas: dict[int, Data]) -> Iterator[bytes]:
    """The bytes of all chunks, in few reads: chunks that lie close together are read with what is between them."""
    near: list[tuple[int, int]] = []
    for begin, end in _spans(datas):
        if near and (begin > near[-1][1] + _BESIDE or end > near[0][0] + _AT_ONCE):
            yield _read(film, near)
            near = []
        near.append((begin, end))
    if near:
        yield _read(film, near)


def _spans(datas: dict[int, Data]) -> Iterator[tuple[int, int]]:
    """Begin and end of all chunks, long ones in parts."""
    for offset, size, _ in _in_order(datas):
        for begin in range(offset, offset + size, _AT_ONCE):
            yield begin, min(begin + _AT_ONCE, offset + size)


def _read(film: BinaryIO, spans: list[tuple[int, int]]) -> bytes:
    first, last = spans[0][0], max(end for _, end in spans)
    block = os.pread(film.fileno(), last - first, first)
    if len(block) != last - first:
        raise NotPlainError
    return b"".join(block[begin - first : end - first] for begin, end in spans)


def _movie(movie: list[tuple[bytes, bytes]], offsets: dict[int, list[int]]) -> bytes:
    """The header of the copy: all that the film's says, of these tracks alone."""
    kept: list[bytes] = []
    number = -1
    for kind, body in movie:
        number += kind == b"trak"
        if kind != b"trak":
            kept.append(_box(kind, body))
        elif number in offsets:
            kept.append(_box(kind, _moved(body, [b"mdia", b"minf", b"stbl"], _table(offsets[number]))))
    return b"".join(kept)


def _table(offsets: list[int]) -> bytes:
    return _box(b"co64", struct.pack(f">II{len(offsets)}Q", 0, len(offsets), *offsets))


def _moved(body: bytes, way: list[bytes], table: bytes) -> bytes:
    """The body of a trak with a new table of offsets at the end of the way, and without references to other tracks."""
    parts: list[bytes] = []
    for kind, inside in children(body):
        if way and kind == way[0]:
            parts.append(_box(kind, _moved(inside, way[1:], table)))
        elif not way and kind in {b"stco", b"co64"}:
            parts.append(table)
        elif kind != b"tref":
            parts.append(_box(kind, inside))
    return b"".join(parts)


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body
