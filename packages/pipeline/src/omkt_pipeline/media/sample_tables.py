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
from omkt_pipeline.media.edit_lists import EMPTY, Edit, Samples, shown
from omkt_pipeline.media.extent import JUMP_SECONDS, Extent, NotPlainError
from omkt_pipeline.media.movie_tables import (
    MOST_SAMPLES,
    SIGNED,
    TrackTables,
    movie_of,
    tables_of,
    units_per_second,
)

#: Codecs whose samples are packets one by one: no parser divides or joins them.
_PICTURES = {"h264", "hevc", "av1", "vp9", "mpeg4", "h263", "prores", "dnxhd", "dvvideo", "mjpeg", "png", "qtrle"}
_SOUNDS = {"aac", "alac", "mp3", "ac3", "eac3", "opus", "flac", "amr_nb", "amr_wb"}
_CODECS = frozenset(_PICTURES | _SOUNDS)
#: Sound without frames: a sample is one value of each channel and lasts one unit of the track's clock. Bytes of a value.
_VALUES = {
    "pcm_s16le": 2, "pcm_s16be": 2, "pcm_s24le": 3, "pcm_s24be": 3, "pcm_s32le": 4, "pcm_s32be": 4, "pcm_f32le": 4,
    "pcm_f32be": 4, "pcm_f64le": 8, "pcm_f64be": 8, "pcm_u8": 1, "pcm_s8": 1, "pcm_alaw": 1, "pcm_mulaw": 1,
}  # fmt: skip
#: By such groups of samples a reader finds further key frames.
_FURTHER_KEYS = b"rap "
_MOST_EDITS = 4
#: Boxes that say more about key frames or times than is read here.
_NOT_PLAIN = frozenset({b"stps", b"stz2", b"senc", b"saio"})


def extent_of(path: Path, facts: MediaFacts) -> Extent | None:
    """What a pass over all packets would tell. None where the header does not say it plainly, or promises data that the file
    has not."""
    try:
        tracks = tables_of(movie_of(path))
        extent = Extent(whole=True, complete=True)
        wanted: list[VideoTrack | AudioTrack] = [*facts.video, *facts.audio]
        if sum(track.frames or 0 for track in wanted if track.codec not in _VALUES) > MOST_SAMPLES:
            return None
        for track in wanted:
            _take(extent, track, tracks[track.index], bytes_there=facts.bytes)
    except (NotPlainError, VerifyError, struct.error, IndexError, KeyError):
        return None
    return extent


def _take(extent: Extent, track: VideoTrack | AudioTrack, boxes: TrackTables, *, bytes_there: int) -> None:
    """Add to `extent` what the tables say of a track. Raises NotPlainError."""
    sound = isinstance(track, AudioTrack)
    if struct.unpack_from(">I", boxes.boxes[b"stsz"], 8)[0] != track.frames:
        raise NotPlainError
    if _NOT_PLAIN & boxes.boxes.keys() or _FURTHER_KEYS in boxes.groups:
        raise NotPlainError
    if struct.unpack_from(">I", boxes.boxes[b"stsd"], 4)[0] != 1:
        raise NotPlainError
    if boxes.boxes[b"hdlr"][8:12] != (b"soun" if sound else b"vide"):
        raise NotPlainError
    if isinstance(track, AudioTrack) and track.codec in _VALUES:
        _take_values(extent, track, boxes, bytes_there=bytes_there)
        return
    sizes = boxes.sizes()
    if track.codec not in _CODECS or sum(sizes) > bytes_there or boxes.data(sizes).end > bytes_there:
        raise NotPlainError
    samples = _samples(boxes, len(sizes), sound=sound)
    if samples.decoded:
        _fill(extent, track, samples, _edits(boxes, samples.clock))


def _take_values(extent: Extent, track: AudioTrack, boxes: TrackTables, *, bytes_there: int) -> None:
    """The same of a sound without frames, all of which is heard."""
    same, count = struct.unpack_from(">II", boxes.boxes[b"stsz"], 4)
    clock = units_per_second(boxes.boxes[b"mdhd"])
    if not same or not count or boxes.columns(b"stts", "II") != [(count,), (1,)]:
        raise NotPlainError
    if boxes.equal_data(count, _VALUES[track.codec] * track.channels).end > bytes_there:
        raise NotPlainError
    edits = _edits(boxes, clock)
    late = sum(edit.length for edit in edits if edit.begins == EMPTY)
    heard = [edit for edit in edits if edit.begins != EMPTY]
    # The length of an edit is rounded to the clock of the film.
    least = count - clock / boxes.movie_clock - 1
    if len(heard) > 1 or any(edit.begins or edit.length < least for edit in heard):
        raise NotPlainError
    extent.begins[track.index] = late / clock
    extent.ends[track.index] = (late + count) / clock
    extent.shown.add(track.index)


def _samples(boxes: TrackTables, count: int, *, sound: bool) -> Samples:
    runs, lasting = boxes.columns(b"stts", "II")
    lengths = list(_expanded(runs, lasting, count))
    runs, late = boxes.columns(b"ctts", "ii")
    offsets = list(_expanded(runs, late, count)) if runs else []
    lead = max(0, -min(offsets, default=0))
    keys: Sequence[int] = range(count)
    if b"stss" in boxes.boxes and not sound:
        keys = [number - 1 for number in boxes.columns(b"stss", "I")[0]]
        if not keys or keys[0] < 0 or any(a >= b for a, b in pairwise(keys)):
            raise NotPlainError
    return Samples(
        clock=units_per_second(boxes.boxes[b"mdhd"]),
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
        raise NotPlainError
    if not all(-SIGNED < bound(values, default=0) < SIGNED for bound in (min, max)):
        raise NotPlainError
    return chain.from_iterable(map(repeat, values, numbers))


def _edits(boxes: TrackTables, clock: int) -> list[Edit]:
    """The edit list in units of the track's clock; one that begins nowhere but at its front is not plain."""
    body = boxes.boxes.get(b"elst", bytes(8))
    row = struct.Struct(">QqI" if body[0] == 1 else ">IiI")
    (count,) = struct.unpack_from(">I", body, 4)
    if count > _MOST_EDITS:
        raise NotPlainError
    rows = [row.unpack_from(body, 8 + row.size * number) for number in range(count)]
    edits = [Edit(_rescaled(length, clock, boxes.movie_clock), begins) for length, begins, _ in rows]
    shows = [edit.begins >= 0 for edit in edits]
    if shows != sorted(shows) or any(edit.begins < EMPTY or edit.length <= 0 for edit in edits):
        raise NotPlainError
    if edits and not shows[-1]:
        raise NotPlainError
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
