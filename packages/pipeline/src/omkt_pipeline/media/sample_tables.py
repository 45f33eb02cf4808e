"""Every packet of an MP4 or QuickTime film, from the tables in its header: no pass over the film itself.

A header of some hundred kilobytes says of each sample when it is decoded and shown, where it lies and whether it is a key
frame (ISO/IEC 14496-12, 8.6 and 8.7). What is not plain in it is left to ffprobe, which reads all of the file.
"""

import struct
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, pairwise, repeat
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

    def table(self, name: bytes, row: str, *, at: int = 4) -> list[tuple[int, ...]]:
        """The rows of a table whose number of rows stands at `at`."""
        body = self.boxes.get(name, b"")
        if not body:
            return []
        (count,) = struct.unpack_from(">I", body, at)
        if count > _MOST_SAMPLES:
            raise _NotPlainError
        size = struct.calcsize(row)
        rows = body[at + 4 : at + 4 + count * size]
        if len(rows) != count * size:
            raise _NotPlainError
        return list(struct.iter_unpack(row, rows))


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
    return [same] * count if same else [size for (size,) in boxes.table(b"stsz", ">I", at=8)]


def _furthest(boxes: _Track, sizes: Sequence[int]) -> int:
    """Where the data of the track ends in the file, in bytes."""
    chunks = [at for (at,) in boxes.table(b"stco", ">I") or boxes.table(b"co64", ">Q")]
    runs = boxes.table(b"stsc", ">III")
    if sizes and (not runs or runs[0][0] != 1):
        raise _NotPlainError
    held: list[int] = []  # samples of each chunk
    for (first, each, _), beyond in zip(runs, [*(row[0] for row in runs[1:]), len(chunks) + 1], strict=True):
        if not first < beyond <= len(chunks) + 1:
            raise _NotPlainError
        held += [each] * (beyond - first)
    ends = list(accumulate(held, initial=0))
    if ends[-1] != len(sizes):
        raise _NotPlainError
    upto = list(accumulate(sizes, initial=0))
    return max(
        (at + upto[end] - upto[begin] for at, begin, end in zip(chunks, ends, ends[1:], strict=False)), default=0
    )


def _samples(boxes: _Track, count: int, *, sound: bool) -> Samples:
    lengths = list(_expanded(boxes.table(b"stts", ">II"), count))
    late = [(number, by) for number, by in boxes.table(b"ctts", ">Ii")]
    offsets = list(_expanded(late, count)) if late else []
    lead = max(0, -min(offsets, default=0))
    keys: Sequence[int] = range(count)
    if b"stss" in boxes.boxes and not sound:
        keys = [number - 1 for (number,) in boxes.table(b"stss", ">I")]
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


def _expanded(runs: Iterable[tuple[int, ...]], count: int) -> Iterable[int]:
    """One value for each sample out of a table of runs."""
    rows = list(runs)
    if sum(number for number, _ in rows) != count or any(not -_SIGNED < value < _SIGNED for _, value in rows):
        raise _NotPlainError
    return chain.from_iterable(repeat(value, number) for number, value in rows)


def _edits(boxes: _Track, clock: int) -> list[Edit]:
    """The edit list in units of the track's clock; one that begins nowhere but at its front is not plain."""
    wide = boxes.boxes.get(b"elst", b"\0")[0] == 1
    rows = boxes.table(b"elst", ">QqI" if wide else ">IiI")
    edits = [Edit(_rescaled(length, clock, boxes.movie_clock), begins) for length, begins, _ in rows]
    shows = [edit.begins >= 0 for edit in edits]
    if shows != sorted(shows) or any(edit.begins < EMPTY or edit.length <= 0 for edit in edits):
        raise _NotPlainError
    if len(edits) > _MOST_EDITS or (edits and not shows[-1]):
        raise _NotPlainError
    return edits


def _rescaled(value: int, to: int, since: int) -> int:
    """To the nearest, halves away from zero, as av_rescale does."""
    return (value * to * 2 + since) // (2 * since)


def _fill(extent: Extent, track: VideoTrack | AudioTrack, samples: Samples, edits: Sequence[Edit]) -> None:
    numbers, decoded, visible = shown(samples, edits)
    offsets = samples.offsets
    times = [at + offsets[number] for number, at in zip(numbers, decoded, strict=True)] if offsets else decoded
    index = track.index
    ends = (at + samples.lasts(number, end=samples.last) for number, at in zip(numbers, times, strict=True))
    extent.packets[index] = len(numbers)
    if visible:
        extent.shown.add(index)
    extent.begins[index] = min(times) / samples.clock
    extent.ends[index] = max(ends) / samples.clock
    steps = (after - before for before, after in pairwise(decoded))
    if not all(0 <= step < JUMP_SECONDS * samples.clock for step in steps):
        extent.faults[index] = "jump"
    if not samples.sound:
        _keys(extent, index, samples, numbers, times)


def _keys(extent: Extent, index: int, samples: Samples, numbers: Sequence[int], times: Sequence[int]) -> None:
    """Where decoding may begin, and whether pictures behind a key frame are shown before it."""
    keys = frozenset(samples.keys)
    newest = min(times)
    for number, time in zip(numbers, times, strict=True):
        if time < newest:
            extent.open_groups.add(index)
        if number in keys:
            newest = time
            extent.add_key(index, round(time / samples.clock, 6))
