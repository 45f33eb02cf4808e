"""Every packet of an MP4 or QuickTime film, from the tables in its header: no pass over the film itself.

A header of some hundred kilobytes says of each sample when it is decoded and shown, where it lies and whether it is a key
frame (ISO/IEC 14496-12, 8.6 and 8.7). What is not plain in it is left to ffprobe, which reads all of the file.
"""

import struct
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, pairwise, repeat
from operator import add, sub
from pathlib import Path

from omkt_pipeline.domain.errors import VerifyError
from omkt_pipeline.domain.media import AudioTrack, MediaFacts, VideoTrack
from omkt_pipeline.media.boxes import children, outermost
from omkt_pipeline.media.edit_lists import EMPTY, Edit, Samples, shown
from omkt_pipeline.media.extent import JUMP_SECONDS, Extent

#: Codecs whose samples are packets one by one, without a parser that divides or joins them.
_CODECS = frozenset({"h264", "hevc", "av1", "prores", "mpeg4", "aac", "alac"})
#: Six hours of pictures and of two sounds, and what Python reads within seconds and some hundred megabytes.
_MOST_SAMPLES = 2_000_000
_MOST_BYTES = 24 << 20
_MOST_EDITS = 4
_SIGNED = 1 << 31
#: Boxes that say more about key frames or times than is read here.
_NOT_PLAIN = frozenset({b"stps", b"stz2", b"senc", b"saio"})


class _NotPlainError(Exception):
    """The header holds what this module does not read."""


def extent_of(path: Path, facts: MediaFacts) -> Extent | None:
    """What a pass over all packets would tell. None where the header does not say it plainly, or promises data that the file
    has not."""
    try:
        tracks = _tracks(path)
        extent = Extent(whole=True, complete=True)
        wanted: list[VideoTrack | AudioTrack] = [*facts.video, *facts.audio]
        if sum(track.frames or 0 for track in wanted) > _MOST_SAMPLES:
            return None
        for track in wanted:
            _take(extent, track, tracks[track.index], bytes_there=facts.bytes)
    except (_NotPlainError, VerifyError, struct.error, IndexError, KeyError):
        return None
    return extent


class _Track:
    """The boxes of one trak that matter, by their names."""

    def __init__(self, body: bytes, movie_clock: int) -> None:
        self.movie_clock = movie_clock
        track = dict(children(body))
        media = dict(children(track[b"mdia"]))
        about = dict(children(media[b"minf"]))
        self.boxes = {**dict(children(track.get(b"edts", b""))), **dict(children(about[b"stbl"])), **media}

    def columns(self, name: bytes, row: str, *, at: int = 4) -> list[tuple[int, ...]]:
        """The columns of a table, whose number of rows stands at `at`; `row` is as many letters of one kind."""
        body = self.boxes.get(name, b"")
        if not body:
            return [()] * len(row)
        (count,) = struct.unpack_from(">I", body, at)
        size = struct.calcsize(f">{row}")
        rows = body[at + 4 : at + 4 + count * size]
        if count > _MOST_SAMPLES or len(rows) != count * size:
            raise _NotPlainError
        # All values at once: a tuple for each of a hundred thousand rows is what takes the time.
        values = struct.unpack(f">{count * len(row)}{row[0]}", rows)
        return [values[column :: len(row)] for column in range(len(row))]


def _tracks(path: Path) -> list[_Track]:
    """The tracks of a film, in the order in which ffprobe numbers them."""
    with path.open("rb") as stream:
        for kind, size in outermost(stream):
            if kind == b"moov" and size <= _MOST_BYTES:
                movie = children(stream.read(size))
                break
            stream.seek(size, 1)
        else:
            raise _NotPlainError
    names = [name for name, _ in movie]
    if b"mvex" in names or b"mvhd" not in names:
        raise _NotPlainError
    clock = _clock(dict(movie)[b"mvhd"])
    return [_Track(body, clock) for name, body in movie if name == b"trak"]


def _clock(header: bytes) -> int:
    (units,) = struct.unpack_from(">I", header, 20 if header[0] == 1 else 12)
    if not 0 < units < _SIGNED:
        raise _NotPlainError
    return int(units)


def _take(extent: Extent, track: VideoTrack | AudioTrack, boxes: _Track, *, bytes_there: int) -> None:
    """Add to `extent` what the tables say of a track. Raises _NotPlainError."""
    sound = isinstance(track, AudioTrack)
    if struct.unpack_from(">I", boxes.boxes[b"stsz"], 8)[0] != track.frames:
        raise _NotPlainError
    sizes = _sizes(boxes)
    if track.codec not in _CODECS or _NOT_PLAIN & boxes.boxes.keys() or sum(sizes) > bytes_there:
        raise _NotPlainError
    if struct.unpack_from(">I", boxes.boxes[b"stsd"], 4)[0] != 1:
        raise _NotPlainError
    if boxes.boxes[b"hdlr"][8:12] != (b"soun" if sound else b"vide"):
        raise _NotPlainError
    if any(boxes.boxes.get(name, b"")[4:8] not in (b"", b"roll") for name in (b"sgpd", b"sbgp")):
        raise _NotPlainError  # of pictures, groups of samples may be further key frames
    if _furthest(boxes, sizes) > bytes_there:
        raise _NotPlainError
    samples = _samples(boxes, len(sizes), sound=sound)
    if samples.decoded:
        _fill(extent, track, samples, _edits(boxes, samples.clock))


def _sizes(boxes: _Track) -> Sequence[int]:
    """Bytes of each sample."""
    same, count = struct.unpack_from(">II", boxes.boxes[b"stsz"], 4)
    return [same] * count if same else boxes.columns(b"stsz", "I", at=8)[0]


def _furthest(boxes: _Track, sizes: Sequence[int]) -> int:
    """Where the data of the track ends in the file, in bytes."""
    chunks = boxes.columns(b"stco", "I")[0] or boxes.columns(b"co64", "Q")[0]
    firsts, each_holds, _ = boxes.columns(b"stsc", "III")
    if sizes and firsts[:1] != (1,):
        raise _NotPlainError
    held: list[int] = []  # samples of each chunk
    for first, each, beyond in zip(firsts, each_holds, (*firsts[1:], len(chunks) + 1), strict=True):
        if not first < beyond <= len(chunks) + 1:
            raise _NotPlainError
        held += [each] * (beyond - first)
    ends = list(accumulate(held, initial=0))
    if ends[-1] != len(sizes):
        raise _NotPlainError
    upto = list(accumulate(sizes, initial=0))
    edges = [upto[end] for end in ends]
    return max(map(add, chunks, map(sub, edges[1:], edges)), default=0)


def _samples(boxes: _Track, count: int, *, sound: bool) -> Samples:
    runs, lasting = boxes.columns(b"stts", "II")
    lengths = list(_expanded(runs, lasting, count))
    runs, late = boxes.columns(b"ctts", "ii")
    offsets = list(_expanded(runs, late, count)) if runs else []
    lead = max(0, -min(offsets, default=0))
    keys: Sequence[int] = range(count)
    if b"stss" in boxes.boxes and not sound:
        keys = [number - 1 for number in boxes.columns(b"stss", "I")[0]]
        if not keys or keys[0] < 0 or any(a >= b for a, b in pairwise(keys)):
            raise _NotPlainError
    return Samples(
        clock=_clock(boxes.boxes[b"mdhd"]),
        sound=sound,
        decoded=list(accumulate(lengths[:-1], initial=-lead)) if lengths else [],
        offsets=[by + lead for by in offsets],
        lead=lead,
        keys=keys,
        last=lengths[-1] if lengths else 0,
    )


def _expanded(numbers: Sequence[int], values: Sequence[int], count: int) -> Iterable[int]:
    """One value for each sample out of a table of runs."""
    if sum(numbers) != count or min(numbers, default=0) < 0:
        raise _NotPlainError
    if not all(-_SIGNED < bound(values, default=0) < _SIGNED for bound in (min, max)):
        raise _NotPlainError
    return chain.from_iterable(map(repeat, values, numbers))


def _edits(boxes: _Track, clock: int) -> list[Edit]:
    """The edit list in units of the track's clock; one that begins nowhere but at its front is not plain."""
    body = boxes.boxes.get(b"elst", bytes(8))
    row = struct.Struct(">QqI" if body[0] == 1 else ">IiI")
    (count,) = struct.unpack_from(">I", body, 4)
    if count > _MOST_EDITS:
        raise _NotPlainError
    rows = [row.unpack_from(body, 8 + row.size * number) for number in range(count)]
    edits = [Edit(_rescaled(length, clock, boxes.movie_clock), begins) for length, begins, _ in rows]
    shows = [edit.begins >= 0 for edit in edits]
    if shows != sorted(shows) or any(edit.begins < EMPTY or edit.length <= 0 for edit in edits):
        raise _NotPlainError
    if edits and not shows[-1]:
        raise _NotPlainError
    return edits


def _rescaled(value: int, to: int, since: int) -> int:
    """To the nearest, halves away from zero, as av_rescale does."""
    return (value * to * 2 + since) // (2 * since)


def _fill(extent: Extent, track: VideoTrack | AudioTrack, samples: Samples, edits: Sequence[Edit]) -> None:
    numbers, decoded, visible = shown(samples, edits)
    times = list(map(add, decoded, map(samples.offsets.__getitem__, numbers))) if samples.offsets else decoded
    index = track.index
    ends = map(add, times, map(samples.lengths.__getitem__, numbers))
    extent.packets[index] = len(numbers)
    if visible:
        extent.shown.add(index)
    extent.begins[index] = min(times) / samples.clock
    extent.ends[index] = max(ends) / samples.clock
    steps = list(map(sub, decoded[1:], decoded)) or [0]
    if min(steps) < 0 or max(steps) >= JUMP_SECONDS * samples.clock:
        extent.faults[index] = "jump"
    if not samples.sound:
        _keys(extent, index, samples, numbers, times)


def _keys(extent: Extent, index: int, samples: Samples, numbers: Sequence[int], times: Sequence[int]) -> None:
    """Where decoding may begin, and whether pictures behind a key frame are shown before it."""
    keys = frozenset(samples.keys)
    places = [place for place, number in enumerate(numbers) if number in keys]
    for place, beyond in pairwise([*places, len(numbers)]):
        if min(times[place:beyond]) < times[place]:
            extent.open_groups.add(index)
        extent.add_key(index, round(times[place] / samples.clock, 6))
