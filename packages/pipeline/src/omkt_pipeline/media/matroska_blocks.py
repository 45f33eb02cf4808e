"""Every picture of a Matroska or WebM film, from the heads of its blocks: what ffprobe tells when it prints each packet.

RFC 9559, 10. Only plain files are read here: one picture, sounds whose packets all last equally long, sizes written down,
nothing between the elements, no backward step of the clock but that of pictures that are stored before they are shown. The
rest is left to ffprobe.
"""

import threading
from collections.abc import Iterator, Mapping
from io import FileIO
from operator import sub
from pathlib import Path
from typing import NamedTuple

from omkt_pipeline.domain.media import AudioTrack, MediaFacts, VideoTrack
from omkt_pipeline.media.ebml import EbmlError, element, elements
from omkt_pipeline.media.extent import Extent, NotPlainError, Patience
from omkt_pipeline.media.matroska import ASIDE, CLUSTER, INFO, TRACKS, Entry, entries_of, outermost, scale_of
from omkt_pipeline.media.units import begins_anew

_SIMPLE_BLOCK, _BLOCK_GROUP, _TIMESTAMP = 0xA3, 0xA0, 0xE7
#: Position, PrevSize, Void, CRC-32
_ASIDE = frozenset({0xA7, 0xAB, 0xEC, 0xBF})
_BLOCK, _REFERENCE, _DURATION = 0xA1, 0xFB, 0x9B
_KEY, _LACED = 0x80, 0x06  #: flags
_HEAD = 4  #: bytes of a block before its data: track, time since the cluster's (signed), flags
_MOST_CLUSTER_BYTES = 64 << 20
_MOST_HEADER_BYTES = 4 << 20
#: A step as long as this is looked at by ffprobe, which knows when pictures are decoded.
_LONGEST_STEP_SECONDS = 5.0
_SECOND = 10**9  #: ns


class _Last(NamedTuple):
    """The last block of a track."""

    time: int
    lasts: int | None  #: where the block itself says it
    frames: int = 1


class Blocks:
    """The blocks of a film. Times are in units of its clock, as the blocks say them."""

    def __init__(self, path: Path, stop: threading.Event | None = None) -> None:
        """Read them. Raises ValueError, KeyError or IndexError for what is not plain, and when told to stop."""
        self.tracks: list[Entry] = []
        self.times: list[int] = []  #: of each picture, in the order in which they are stored
        self.keys: list[int] = []  #: places of the pictures at which decoding may begin
        self.ends: dict[int, _Last] = {}  #: of each track, by its mark
        self._scale = 0
        with path.open("rb", buffering=0) as stream:
            self._read(stream, path.stat().st_size, stop)
        self._check()
        newest, said = max(self.times), self.ends.get(self._picture.mark)
        if said is None or said.time < newest:
            self.ends[self._picture.mark] = _Last(newest, None)

    def seconds(self, units: float) -> float:
        """Of so many units, to a µs, as ffprobe prints them."""
        return round(units * self._scale / _SECOND, 6)

    def begin_of(self, last: _Last, track: Entry) -> int:
        """When the last frame of a track begins; several in one block are numbered as libavformat does. Raises EbmlError."""
        if last.frames > 1 and (not track.lasts or last.lasts is not None):
            raise EbmlError
        together = track.lasts * last.frames // self._scale
        # To the nearest, halves away from zero, as av_rescale does.
        delay = (2 * track.delay + self._scale) // (2 * self._scale)
        return last.time - delay + together * (last.frames - 1) // last.frames

    def _read(self, stream: FileIO, size: int, stop: threading.Event | None) -> None:
        buffer, patience = bytearray(), Patience(stop)
        for name, at, length in outermost(stream, size):
            patience.check()
            if name in (INFO, TRACKS):
                if self.times or length > _MOST_HEADER_BYTES:
                    raise EbmlError
                stream.seek(at)
                self._take_header(name, stream.read(length))
            elif name == CLUSTER:
                if not self.tracks or length > _MOST_CLUSTER_BYTES:
                    raise EbmlError
                if length > len(buffer):
                    buffer = bytearray(length)
                stream.seek(at)
                if stream.readinto(memoryview(buffer)[:length]) != length:
                    raise EbmlError
                self._take_cluster(buffer, length)
            elif name not in ASIDE:
                raise EbmlError

    def _take_header(self, name: int, body: bytes) -> None:
        if name == INFO:
            self._scale = scale_of(body)
        elif self.tracks:
            raise EbmlError
        else:
            self.tracks = entries_of(body)
            self._picture = self.tracks[[track.kind for track in self.tracks].index("video")]

    def _take_cluster(self, data: bytearray, end: int) -> None:
        at, base, latest = self._pass_over(data, end)
        if at != end:
            raise EbmlError
        for block in latest.values():
            self._note_end(data, block, base)

    def _pass_over(self, data: bytearray, end: int) -> tuple[int, int | None, dict[int, int]]:
        """Note the pictures of a cluster, and return where it ends, its time, and where the last block of each other track
        begins. All blocks of a film pass here, those of sounds too."""
        at, base, latest = 0, None, dict[int, int]()
        while at < end:
            name, first = data[at], data[at + 1]
            if first & 0x80:
                size, at = first & 0x7F, at + 2
            elif first & 0x40:
                size, at = (first & 0x3F) << 8 | data[at + 2], at + 3
            else:
                name, at, size = element(data, at)
            if name == _SIMPLE_BLOCK:
                if data[at] == self._picture.mark:
                    self._take_picture(data, at, at + size, base, key=data[at + 3] >= _KEY)
                else:
                    latest[data[at]] = at
            elif name == _BLOCK_GROUP:
                self._take_group(data, at, at + size, base)
            elif name == _TIMESTAMP:
                base = int.from_bytes(data[at : at + size], "big")
            elif name not in _ASIDE:
                raise EbmlError
            at += size
        return at, base, latest

    def _take_group(self, data: bytearray, at: int, end: int, base: int | None) -> None:
        """A block with more about it; it is a key frame where it refers to no other."""
        found = {name: (begin, beyond) for name, begin, beyond in elements(data, at, end)}
        begin, beyond = found[_BLOCK]
        lasts = int.from_bytes(data[slice(*found[_DURATION])], "big") if _DURATION in found else None
        if lasts is not None or data[begin] != self._picture.mark:
            self._note_end(data, begin, base, lasts)
        if data[begin] == self._picture.mark:
            self._take_picture(data, begin, beyond, base, key=_REFERENCE not in found)

    def _note_end(self, data: bytearray, at: int, base: int | None, lasts: int | None = None) -> None:
        time, frames = _time(data, at, base), data[at + _HEAD] + 1 if data[at + 3] & _LACED else 1
        known = self.ends.get(data[at])
        if known is None or time >= known.time:
            self.ends[data[at]] = _Last(time, lasts, frames)

    def _take_picture(self, data: bytearray, at: int, end: int, base: int | None, *, key: bool) -> None:
        if data[at + 3] & _LACED:
            raise EbmlError
        if key:
            if not _is_key(data, at + _HEAD, end, self._picture):
                raise EbmlError
            self.keys.append(len(self.times))
        self.times.append(_time(data, at, base))

    def _check(self) -> None:
        """Raises EbmlError where the clock steps as pictures that are merely stored in another order do not."""
        times = self.times
        if not times or not self._scale:
            raise EbmlError
        longest = _LONGEST_STEP_SECONDS * _SECOND / self._scale
        if not all(-longest < step < longest for step in map(sub, times[1:], times)):
            raise EbmlError


def extent_of(
    path: Path, facts: MediaFacts, lasting: Mapping[int, float], *, stop: threading.Event | None = None
) -> Extent | None:
    """What a pass over all packets would tell; `lasting`: seconds of each track's frames, as the first of them say.

    None where the file is not plain: ffprobe must read it.
    """
    try:
        return _extent(Blocks(path, stop), facts, lasting)
    except (NotPlainError, ValueError, IndexError, KeyError):
        return None


def _extent(blocks: Blocks, facts: MediaFacts, lasting: Mapping[int, float]) -> Extent:
    wanted: list[VideoTrack | AudioTrack] = [*facts.video, *facts.audio]
    used: dict[int, str | None] = {track.index: track.codec for track in wanted}
    tracks = {index: track for index, track in enumerate(blocks.tracks) if track.kind != "subtitle"}
    if len(facts.video) != 1 or used != {index: track.codec for index, track in tracks.items()}:
        raise EbmlError
    extent = Extent(whole=True, complete=True)
    for index, track in tracks.items():
        last = blocks.ends.get(track.mark)
        if last is not None:
            lasts = lasting.get(index, track.lasts / _SECOND) if last.lasts is None else blocks.seconds(last.lasts)
            if not lasts:
                raise EbmlError
            extent.ends[index] = blocks.seconds(blocks.begin_of(last, track)) + lasts
            extent.shown.add(index)
    extent.add_pictures(facts.video[0].index, blocks.times, blocks.keys, blocks.seconds)
    return extent


def _time(data: bytearray, at: int, base: int | None) -> int:
    """The time of the block that begins here. Raises EbmlError where its cluster has none, or it would be negative."""
    since = data[at + 1] << 8 | data[at + 2]
    time = -1 if base is None else base + (since - 0x10000 if since & 0x8000 else since)
    if time < 0:
        raise EbmlError
    return time


def _is_key(data: bytearray, at: int, end: int, track: Entry) -> bool:
    """Whether a picture that is marked as a key frame is one, of codecs that have units; of others the mark is believed."""
    return not track.unit or bool(begins_anew(track.codec or "", data, _units(data, at, end, track.unit)))


def _units(data: bytearray, at: int, end: int, prefix: int) -> Iterator[tuple[int, int]]:
    """Each begins behind its size, which takes `prefix` bytes."""
    while at < end:
        begin = at + prefix
        at = begin + int.from_bytes(data[at:begin], "big")
        yield begin, min(at, end)
