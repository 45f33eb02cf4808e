"""How far a source really goes, against what its header promises."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from time import thread_time
from typing import TypeVar

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.media import AudioTrack, MediaFacts, VideoTrack

Track = TypeVar("Track", VideoTrack, AudioTrack)

#: Containers whose header is written when the recording is complete: less data than it says means a cut file. The
#: others estimate, or are written live; there the data is right.
_HEADER_IS_A_PROMISE = frozenset({"matroska", "avi"})
#: A header may round, count a last silent frame or a subtitle; it may not miss more than this.
_SLACK_SECONDS = 1.0
_SLACK_PART = 0.02
#: Key frames nearer to each other than this are no better to begin at.
_KEYS_APART_SECONDS = 0.5
_KEYS_KEPT = 4000
#: From here on ffmpeg takes a step of the clock for a new beginning, in streams that may have such (its
#: -dts_delta_threshold).
JUMP_SECONDS = 10.0
#: A packet of sound that claims to last longer is believed to have no length: demuxers subtract wrongly at the end of a file.
_LONGEST_SOUND_SECONDS = 60.0
#: Containers whose clock may begin anew in the middle; there a jump of one stream moves all of them.
CLOCK_MAY_JUMP = frozenset({"mpegts", "mpeg"})
#: Bare streams, of which ffprobe gives packets no time at all.
TIMELESS = frozenset({"h264", "hevc"})
_UNKNOWN = "N/A"  #: ffprobe's word
_MOST_PICTURES = 2_000_000
#: Places to begin at that are this far apart on average: some may not be marked as such, and the pictures themselves tell.
_KEYS_MISSING_SECONDS = 30.0
#: Of reading a file otherwise than by ffprobe.
MOST_CPU_SECONDS = 5.0


class NotPlainError(Exception):
    """A file holds what is not read here, or contradicts itself: ffprobe must tell what is in it."""


class Patience:
    """How long a file is read here: films of a day take less. Then ffprobe sees to it, which is limited in all that it does."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        """`stop`: set when nobody wants to know any more."""
        self._stop = stop
        self._enough = thread_time() + MOST_CPU_SECONDS

    def check(self) -> None:
        """Raises NotPlainError when it is at an end."""
        if (self._stop is not None and self._stop.is_set()) or thread_time() > self._enough:
            raise NotPlainError


@dataclass
class Extent:
    """Where each stream's last packet ends, in seconds on the container's clock, filled line by line."""

    whole: bool  #: every packet was seen, not only the last seconds
    #: The file holds all that its header points to: a track that ends early was made so, by its edit list.
    complete: bool = False
    #: Streams whose clock may begin anew in the middle: from there on the times are those that it would have gone on with,
    #: as ffmpeg takes them when it reads these streams.
    jumping: frozenset[int] = frozenset()
    sounds: frozenset[int] = frozenset()  #: streams of sound
    timeless: bool = (
        False  #: a bare stream without a container has no times: each packet begins where the one before ends
    )
    ends: dict[int, float] = field(default_factory=dict)
    begins: dict[int, float] = field(default_factory=dict)
    packets: dict[int, int] = field(default_factory=dict)
    keys: dict[int, list[float]] = field(default_factory=dict)
    shown: set[int] = field(default_factory=set)  #: streams of which an edit list leaves something to be seen or heard
    open_groups: set[int] = field(
        default_factory=set
    )  #: streams with pictures behind a key frame that are shown before it
    #: Streams whose timestamps are missing or jump, with the word for it.
    faults: dict[int, str] = field(default_factory=dict)
    #: Seconds between the last two packets of a sound of which the last one does not say how long it lasts.
    _last_steps: dict[int, float] = field(default_factory=dict)
    _clocks: dict[int, float] = field(default_factory=dict)
    _newest_key: dict[int, float] = field(default_factory=dict)
    _expected: dict[int, float] = field(default_factory=dict)
    _elsewhere: dict[int, float] = field(default_factory=dict)
    _shift: float = 0.0

    def take(self, line: str) -> bool:
        """Read one line of `-show_entries packet=stream_index,pts_time,dts_time,duration_time,flags -of csv=p=0`."""
        try:
            which, shown, decoded, lasting, flags = line.rstrip().split(",")[:5]
            index = int(which)
            lasts = 0.0 if lasting == _UNKNOWN else float(lasting)
            if self.timeless and shown == decoded == _UNKNOWN:
                decoded = str(self.ends.get(index, 0.0))
            if shown == decoded == _UNKNOWN:
                # It counts: several frames may share the time of a pack, and some before a clock's zero have none.
                self.packets[index] = self.packets.get(index, 0) + 1
                return True
            time = float(decoded if shown == _UNKNOWN else shown)
            clock = None if decoded == _UNKNOWN else float(decoded)
        except ValueError:
            return False
        if index in self.sounds and lasts > _LONGEST_SOUND_SECONDS:
            lasts = 0.0
        self.packets[index] = self.packets.get(index, 0) + 1
        if index in self.jumping and not self._follows(index, time, time if clock is None else clock, lasts):
            self.faults.setdefault(index, "jump")
            return True
        time += self._shift
        if index in self.sounds:
            self._note_step(index, time, known=lasting != _UNKNOWN)
        self.begins[index] = min(self.begins.get(index, time), time)
        self.ends[index] = max(self.ends.get(index, time), time + lasts)
        if shown == _UNKNOWN:
            self.faults[index] = "are missing"
        if clock is not None:
            self._note_clock(index, clock)
        self._note_flags(index, time, flags)
        return True

    def _note_flags(self, index: int, time: float, flags: str) -> None:
        if time < self._newest_key.get(index, time):
            self.open_groups.add(index)
        if "D" not in flags:
            self.shown.add(index)
        if flags.startswith("K"):
            self._newest_key[index] = time
            self.add_key(index, time)

    def _note_step(self, index: int, time: float, *, known: bool) -> None:
        step = time - self.ends.get(index, time)
        if known or not 0 < step < _LONGEST_SOUND_SECONDS:
            self._last_steps.pop(index, None)
        else:
            self._last_steps[index] = step

    def lengthen(self, index: int, promised: float) -> None:
        """Let a sound whose last packet does not say how long it lasts go on to `promised`, its end by the header, if that packet
        is then no longer than the one before."""
        if index in self._last_steps and index in self.ends:
            self.ends[index] = max(self.ends[index], min(promised, self.ends[index] + self._last_steps[index]))

    def add_key(self, index: int, time: float) -> None:
        """Note a key frame, unless the one before is near."""
        keys = self.keys.setdefault(index, [])
        if not keys or time - keys[-1] >= _KEYS_APART_SECONDS:
            keys.append(time)

    def add_pictures(
        self, index: int, times: Sequence[int], keys: Sequence[int], seconds: Callable[[int], float]
    ) -> None:
        """Note the pictures of a stream by their times, in the order in which they are stored; decoding may begin at the places
        in `keys`. Raises NotPlainError where what follows such a place is not shown behind all that came before it, and where
        there are none, too many, or so few places that some may not be marked."""
        if not 0 < len(times) <= _MOST_PICTURES or keys[:1] != [0]:
            raise NotPlainError
        if seconds(max(times)) - seconds(min(times)) > _KEYS_MISSING_SECONDS * len(keys):
            raise NotPlainError
        self.packets[index] = len(times)
        self.begins[index] = seconds(min(times))
        newest = -1
        for place, beyond in pairwise([*keys, len(times)]):
            group = times[place:beyond]
            first = min(group)
            if first <= newest:
                raise NotPlainError
            newest = max(group)
            if first < times[place]:
                self.open_groups.add(index)
            self.add_key(index, seconds(times[place]))

    def _follows(self, index: int, time: float, clock: float, lasts: float) -> bool:
        """Whether a packet's time can be believed. A jump is one when the packet after it is there too, and then moves the
        clock of all streams; a single time far from all others is damage."""
        expected, elsewhere = self._expected.get(index), self._elsewhere.pop(index, None)
        if expected is not None and abs(clock + self._shift - expected) >= JUMP_SECONDS:
            if elsewhere is None or abs(clock - elsewhere) >= JUMP_SECONDS:
                self._elsewhere[index] = clock + lasts
                return False
            self._shift = expected + lasts - clock
        if abs(time - clock) >= JUMP_SECONDS:
            return False
        self._expected[index] = clock + self._shift + lasts
        return True

    def _note_clock(self, index: int, clock: float) -> None:
        if not 0 <= clock - self._clocks.get(index, clock) < JUMP_SECONDS:
            self.faults.setdefault(index, "jump")
        self._clocks[index] = clock

    def key_times(self, index: int) -> tuple[float, ...]:
        """Key frames of a stream, thinned out to a number that a row can hold."""
        keys = self.keys.get(index, []) if self.whole else []
        return tuple(keys[:: 1 + len(keys) // _KEYS_KEPT])

    def rate(self, index: int) -> Fraction | None:
        """Packets per second of a stream, over what was seen."""
        span = self.ends[index] - self.begins[index] if index in self.ends else 0.0
        return Fraction(self.packets[index] / span).limit_denominator(1001) if span > 0 else None


def slack(promised: float) -> float:
    """Of so many seconds, how many may be missing by rounding."""
    return max(_SLACK_SECONDS, _SLACK_PART * promised)


def short_of(promised: float, found: float) -> bool:
    """Whether so much is missing that it cannot be rounding."""
    return found < promised - slack(promised)


def measured(facts: MediaFacts, extent: Extent, *, missing: int = 0) -> MediaFacts:
    """Facts whose durations come from the data; `missing` as outer_sizes tells it. Raises SourceError (source_truncated) for
    a file that was cut off."""
    for track in facts.audio:
        if track.duration is not None:
            extent.lengthen(track.index, track.start + track.duration)
    ends = extent.ends
    wanted = {track.index for track in facts.video} | {track.index for track in facts.audio}
    known = [end for index, end in ends.items() if index in wanted & extent.shown]
    end = max(known, default=None)
    if end is None:
        raise SourceError("The file announces tracks but holds no data of them.", code="source_truncated")
    total = end - facts.start
    # A title may stay longer than the pictures, and the header counts it.
    promised = _promised(facts, total, max(ends.values()), missing, complete=extent.complete)
    if promised is not None:
        raise _cut(promised, total)

    def holds(track: VideoTrack | AudioTrack) -> bool:
        return track.index in extent.shown or not extent.whole

    return facts.model_copy(
        update={
            "duration": round(total, 6),
            "video": tuple(
                _with_index(_with_rate(_with_duration(t, extent, counted=_counted(facts, t)), extent), facts, extent)
                for t in facts.video
                if holds(t)
            ),
            "audio": tuple(_with_duration(t, extent, counted=_counted(facts, t)) for t in facts.audio if holds(t)),
        }
    )


def _promised(facts: MediaFacts, total: float, last: float, missing: int, *, complete: bool) -> float | None:
    """Seconds that a file announces and does not hold; None when nothing is missing. `last`: the end of its data on its clock."""
    if facts.demuxer not in _HEADER_IS_A_PROMISE or complete:
        return None
    # Some count from the clock's zero, where a recording does not begin there.
    if facts.duration is not None and short_of(facts.duration, last - min(facts.start, 0.0)):
        return facts.duration
    whole = total * (1 + missing / facts.bytes)
    # A Matroska file may lack its index alone. Of an AVI the data itself was measured; its length is estimated by ffprobe then.
    less = facts.demuxer == "avi" or facts.duration is None or short_of(facts.duration, last - facts.start)
    return whole if less and short_of(whole, total) else None


def _counted(facts: MediaFacts, track: VideoTrack | AudioTrack) -> bool:
    return facts.demuxer == "mov" and track.frames is not None


def _with_duration(track: Track, extent: Extent, *, counted: bool) -> Track:
    """The track with its real duration; `counted`: its header knows every sample, edit lists included."""
    if track.index not in extent.ends:
        return track
    found = extent.ends[track.index] - track.start
    if counted and track.duration is not None:
        if not short_of(track.duration, found):
            return track
        if not extent.complete:
            raise _cut(track.duration, found)
    return track.model_copy(update={"duration": round(max(0.0, found), 6)})


def _with_rate(track: VideoTrack, extent: Extent) -> VideoTrack:
    """The track with an average rate that was counted, where the header has none or one that cannot be."""
    if extent.timeless:
        # Whoever has no times has one rate; the guess at the lowest one may be that of fields.
        return track.model_copy(update={"base_rate": track.average_rate})
    base, average = (Fraction(text) if text else None for text in (track.base_rate, track.average_rate))
    if average is not None and (base is None or average <= base * Fraction(11, 10)):
        return track
    counted = extent.rate(track.index)
    return track if counted is None else track.model_copy(update={"average_rate": str(counted)})


def _with_index(track: VideoTrack, facts: MediaFacts, extent: Extent) -> VideoTrack:
    """The track with what a pass over all its packets tells."""
    if not extent.whole:
        return track
    fault = extent.faults.get(track.index)
    if facts.demuxer in CLOCK_MAY_JUMP:
        # Titles and data pause for as long as they like.
        fault = fault or next((word for which, word in extent.faults.items() if which in extent.jumping), None)
    return track.model_copy(
        update={
            "counted_frames": extent.packets.get(track.index),
            "key_times": extent.key_times(track.index),
            "open_groups": track.index in extent.open_groups,
            "clock_fault": fault,
        }
    )


def _cut(promised: float, found: float) -> SourceError:
    return SourceError(
        f"The file breaks off: it announces {promised:.1f} s and holds {max(0.0, found):.1f} s.",
        code="source_truncated",
    )
