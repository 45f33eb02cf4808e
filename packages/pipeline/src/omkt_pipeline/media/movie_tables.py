"""The tables of an MP4 or QuickTime film's tracks, as they stand in its header (ISO/IEC 14496-12, 8.6 and 8.7)."""

import struct
from collections.abc import Sequence
from itertools import accumulate
from operator import add, sub
from pathlib import Path
from typing import NamedTuple

from omkt_pipeline.media.boxes import children, outermost
from omkt_pipeline.media.extent import NotPlainError

#: Six hours of pictures and of two sounds, and what Python reads within seconds and some hundred megabytes.
MOST_SAMPLES = 2_000_000
_MOST_BYTES = 24 << 20
SIGNED = 1 << 31


class Data(NamedTuple):
    """Where the samples of a track lie, in bytes: those that lie side by side are one chunk."""

    offsets: Sequence[int]  #: of each chunk, from the file's beginning
    sizes: Sequence[int]

    @property
    def end(self) -> int:
        """Of the chunk that ends last."""
        return max(map(add, self.offsets, self.sizes), default=0)


class TrackTables:
    """The boxes of one trak that matter, by their names."""

    def __init__(self, body: bytes, movie_clock: int) -> None:
        self.movie_clock = movie_clock
        track = dict(children(body))
        media = dict(children(track[b"mdia"]))
        about = dict(children(media[b"minf"]))
        samples = children(about[b"stbl"])
        self.boxes = {**dict(children(track.get(b"edts", b""))), **dict(samples), **media}
        #: What the groups of samples say, of which there may be several: their kinds.
        self.groups = frozenset(body[4:8] for name, body in samples if name in (b"sgpd", b"sbgp"))

    def columns(self, name: bytes, row: str, *, at: int = 4) -> list[tuple[int, ...]]:
        """The columns of a table, whose number of rows stands at `at`; `row` is as many letters of one kind."""
        body = self.boxes.get(name, b"")
        if not body:
            return [()] * len(row)
        (count,) = struct.unpack_from(">I", body, at)
        size = struct.calcsize(f">{row}")
        rows = body[at + 4 : at + 4 + count * size]
        if count > MOST_SAMPLES or len(rows) != count * size:
            raise NotPlainError
        # All values at once: a tuple for each of a hundred thousand rows is what takes the time.
        values = struct.unpack(f">{count * len(row)}{row[0]}", rows)
        return [values[column :: len(row)] for column in range(len(row))]

    def sizes(self) -> Sequence[int]:
        """Bytes of each sample."""
        same, count = struct.unpack_from(">II", self.boxes[b"stsz"], 4)
        return [same] * count if same else self.columns(b"stsz", "I", at=8)[0]

    def data(self, sizes: Sequence[int]) -> Data:
        """Where the samples of these sizes lie."""
        offsets, held = self._chunks(len(sizes))
        upto = list(accumulate(sizes, initial=0))
        edges = [upto[end] for end in accumulate(held, initial=0)]
        return Data(offsets, list(map(sub, edges[1:], edges)))

    def equal_data(self, count: int, size: int) -> Data:
        """Where so many samples of one size lie."""
        offsets, held = self._chunks(count)
        return Data(offsets, [number * size for number in held])

    def _chunks(self, count: int) -> tuple[Sequence[int], Sequence[int]]:
        """Where each chunk begins, and how many of so many samples it holds."""
        offsets = self.columns(b"stco", "I")[0] or self.columns(b"co64", "Q")[0]
        firsts, each_holds, _ = self.columns(b"stsc", "III")
        if count and firsts[:1] != (1,):
            raise NotPlainError
        held: list[int] = []
        for first, each, beyond in zip(firsts, each_holds, (*firsts[1:], len(offsets) + 1), strict=True):
            if not first < beyond <= len(offsets) + 1:
                raise NotPlainError
            held += [each] * (beyond - first)
        if sum(held) != count:
            raise NotPlainError
        return offsets, held


def movie_of(path: Path) -> list[tuple[bytes, bytes]]:
    """What the header of a film holds, box by box. Raises NotPlainError where it has none that is read here."""
    with path.open("rb") as stream:
        for kind, size in outermost(stream):
            if kind == b"moov" and size <= _MOST_BYTES:
                movie = children(stream.read(size))
                break
            stream.seek(size, 1)
        else:
            raise NotPlainError
    names = [name for name, _ in movie]
    if b"mvex" in names or b"mvhd" not in names:
        raise NotPlainError
    return movie


def tables_of(movie: list[tuple[bytes, bytes]]) -> list[TrackTables]:
    """The tracks of a film, in the order in which ffprobe numbers them."""
    clock = units_per_second(dict(movie)[b"mvhd"])
    return [TrackTables(body, clock) for name, body in movie if name == b"trak"]


def units_per_second(header: bytes) -> int:
    """The clock of a movie or media header."""
    (units,) = struct.unpack_from(">I", header, 20 if header[0] == 1 else 12)
    if not 0 < units < SIGNED:
        raise NotPlainError
    return int(units)
