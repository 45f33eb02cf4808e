"""Media segments that we made ourselves (ISO/IEC 14496-12, 8.8): what their headers say, and moving them on the clock."""

import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from omkt_pipeline.domain.errors import VerifyError
from omkt_pipeline.media.boxes import outermost, walk, walk_file

_NOT_A_SYNC_SAMPLE = 0x10000


@dataclass(frozen=True, kw_only=True)
class Segment:
    """What the headers of one media segment say. Times are in units of the track's timescale."""

    samples: int
    duration: int
    begins_at: int  #: decode time of the first sample
    shown_at: int  #: when the first picture is shown
    step: int | None  #: between two pictures in the order in which they are shown, when it is always the same
    begins_with_key_frame: bool
    key_frame_bytes: int | None = None  #: from the file's beginning to the end of its first frame


@dataclass(frozen=True, kw_only=True)
class _Defaults:
    """What holds for the samples of a fragment that say nothing else."""

    duration: int = 0
    flags: int = 0
    size: int = 0


class _Sample(NamedTuple):
    duration: int
    flags: int
    size: int
    shown_later: int  #: than it is decoded


def read_segment(path: Path) -> Segment:
    """Sum up the fragments of one segment file. Raises VerifyError when it holds none."""
    begins_at: int | None = None
    defaults = _Defaults()
    samples: list[_Sample] = []
    for kind, body in walk_file(path):
        if kind == b"tfhd":
            defaults = _tfhd(body)
        elif kind == b"tfdt" and begins_at is None:
            begins_at = int.from_bytes(body[4:12] if body[0] == 1 else body[4:8], "big")
        elif kind == b"trun":
            samples.extend(_trun(body, defaults))
    if begins_at is None or not samples:
        raise VerifyError(f"{path.name} holds no media.", code="segment_empty")
    decoded = itertools.accumulate((sample.duration for sample in samples[:-1]), initial=begins_at)
    shown = sorted(at + sample.shown_later for at, sample in zip(decoded, samples, strict=True))
    steps = {later - sooner for sooner, later in itertools.pairwise(shown)} or {samples[0].duration}
    key = not samples[0].flags & _NOT_A_SYNC_SAMPLE
    return Segment(
        samples=len(samples),
        duration=sum(sample.duration for sample in samples),
        begins_at=begins_at,
        shown_at=shown[0],
        step=steps.pop() if len(steps) == 1 else None,
        begins_with_key_frame=key,
        key_frame_bytes=_first_ends(path, samples[0].size) if key else None,
    )


def move_segment(path: Path, ticks: int, *, sequence: int) -> None:
    """Make a segment of a chunk one of the film: let it begin so many units later, and number its fragments from `sequence`.

    Only clocks and numbers in its headers are written anew, in place. Raises VerifyError for a clock of 32 bits.
    """
    with path.open("r+b") as stream:
        for kind, size in outermost(stream):
            begin = stream.tell()
            if kind == b"moof":
                stream.seek(begin)
                body = bytearray(stream.read(size))
                _set_sequence(body, sequence)
                _move_clock(path, body, ticks)
                stream.seek(begin)
                stream.write(body)
                sequence += 1
            elif kind == b"sidx":
                stream.seek(begin)
                body = bytearray(stream.read(size))
                _move_index(body, ticks)
                stream.seek(begin)
                stream.write(body)
            stream.seek(begin + size)


def _set_sequence(moof: bytearray, number: int) -> None:
    at = moof.index(b"mfhd") + 8
    moof[at : at + 4] = struct.pack(">I", number)


def _move_clock(path: Path, moof: bytearray, ticks: int) -> None:
    for kind, body in walk(bytes(moof)):
        if kind == b"tfdt":
            if body[0] != 1:
                raise VerifyError(f"{path.name} has a clock of 32 bits.")
            at = moof.index(b"tfdt") + 8
            moof[at : at + 8] = struct.pack(">Q", int.from_bytes(body[4:12], "big") + ticks)


def _move_index(sidx: bytearray, ticks: int) -> None:
    """ISO/IEC 14496-12, 8.16.3: version, flags, the track, its timescale, then the earliest time."""
    width = ">Q" if sidx[0] == 1 else ">I"
    (earliest,) = struct.unpack_from(width, sidx, 12)
    struct.pack_into(width, sidx, 12, earliest + ticks)


def _first_ends(path: Path, size: int) -> int | None:
    """Where the first sample of a file ends: samples lie at the front of the first media data box."""
    with path.open("rb") as stream:
        for kind, length in outermost(stream):
            if kind == b"mdat":
                return stream.tell() + size if size else None
            stream.seek(length, 1)
    return None


def _tfhd(body: bytes) -> _Defaults:
    flags = int.from_bytes(body[1:4], "big")
    at = 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
    found = []
    for bit in (0x8, 0x10, 0x20):
        found.append(int.from_bytes(body[at : at + 4], "big") if flags & bit else 0)
        at += 4 if flags & bit else 0
    return _Defaults(duration=found[0], size=found[1], flags=found[2])


def _trun(body: bytes, defaults: _Defaults) -> Iterator[_Sample]:
    """The samples of a run."""
    flags, count = int.from_bytes(body[1:4], "big"), int.from_bytes(body[4:8], "big")
    at = 8 + (4 if flags & 0x1 else 0)
    first_flags = int.from_bytes(body[at : at + 4], "big") if flags & 0x4 else None
    at += 4 if flags & 0x4 else 0
    fields = [(0x100, "I"), (0x200, "I"), (0x400, "I"), (0x800, "i" if body[0] else "I")]
    form = ">" + "".join(code for bit, code in fields if flags & bit)
    names = [bit for bit, _ in fields if flags & bit]
    for number in range(count):
        found = dict(zip(names, struct.unpack_from(form, body, at), strict=True))
        at += 4 * len(names)
        usual = first_flags if number == 0 and first_flags is not None else defaults.flags
        yield _Sample(
            duration=found.get(0x100, defaults.duration),
            size=found.get(0x200, defaults.size),
            flags=found.get(0x400, usual),
            shown_later=found.get(0x800, 0),
        )
