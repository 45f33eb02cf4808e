"""How far a source really goes, against what its header promises."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
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


@dataclass
class Extent:
    """Where each stream's last packet ends, in seconds on the container's clock, filled line by line."""

    whole: bool  #: every packet was seen, not only the last seconds
    ends: dict[int, float] = field(default_factory=dict)
    begins: dict[int, float] = field(default_factory=dict)
    packets: dict[int, int] = field(default_factory=dict)

    def take(self, line: str) -> bool:
        """Read one line of `-show_entries packet=… -of compact=p=0`."""
        fields = dict(part.split("=", 1) for part in line.strip().split("|") if "=" in part)
        try:
            index = int(fields["stream_index"])
            time = float(fields["pts_time"] if fields.get("pts_time", "N/A") != "N/A" else fields["dts_time"])
        except (KeyError, ValueError):
            return False
        last = fields.get("duration_time", "N/A")
        self.begins[index] = min(self.begins.get(index, time), time)
        self.packets[index] = self.packets.get(index, 0) + 1
        self.ends[index] = max(self.ends.get(index, time), time + (float(last) if last != "N/A" else 0.0))
        return True

    def rate(self, index: int) -> Fraction | None:
        """Packets per second of a stream, over what was seen."""
        span = self.ends[index] - self.begins[index] if index in self.ends else 0.0
        return Fraction(self.packets[index] / span).limit_denominator(1001) if span > 0 else None


def short_of(promised: float, found: float) -> bool:
    """Whether so much is missing that it cannot be rounding."""
    return found < promised - max(_SLACK_SECONDS, _SLACK_PART * promised)


def measured(facts: MediaFacts, extent: Extent) -> MediaFacts:
    """Facts whose durations come from the data. Raises SourceError (source_truncated) for a file that was cut off."""
    ends = extent.ends
    wanted = {track.index for track in facts.video} | {track.index for track in facts.audio}
    known = [end for index, end in ends.items() if index in wanted]
    end = max(known, default=None)
    if end is None:
        raise SourceError("The file announces tracks but holds no data of them.", code="source_truncated")
    total = end - facts.start
    if facts.demuxer in _HEADER_IS_A_PROMISE and facts.duration is not None and short_of(facts.duration, total):
        raise _cut(facts.duration, total)

    def holds(track: VideoTrack | AudioTrack) -> bool:
        return track.index in ends or not extent.whole

    return facts.model_copy(
        update={
            "duration": round(total, 6),
            "video": tuple(
                _with_rate(_with_duration(t, ends, counted=_counted(facts, t)), extent) for t in facts.video if holds(t)
            ),
            "audio": tuple(_with_duration(t, ends, counted=_counted(facts, t)) for t in facts.audio if holds(t)),
        }
    )


def _counted(facts: MediaFacts, track: VideoTrack | AudioTrack) -> bool:
    return facts.demuxer == "mov" and track.frames is not None


def _with_duration(track: Track, ends: Mapping[int, float], *, counted: bool) -> Track:
    """The track with its real duration; `counted`: its header knows every sample, edit lists included."""
    if track.index not in ends:
        return track
    found = ends[track.index] - track.start
    if counted and track.duration is not None:
        if short_of(track.duration, found):
            raise _cut(track.duration, found)
        return track
    return track.model_copy(update={"duration": round(max(0.0, found), 6)})


def _with_rate(track: VideoTrack, extent: Extent) -> VideoTrack:
    """The track with an average rate that was counted, where the header has none or one that cannot be."""
    base, average = (Fraction(text) if text else None for text in (track.base_rate, track.average_rate))
    if average is not None and (base is None or average <= base * Fraction(11, 10)):
        return track
    counted = extent.rate(track.index)
    return track if counted is None else track.model_copy(update={"average_rate": str(counted)})


def _cut(promised: float, found: float) -> SourceError:
    return SourceError(
        f"The file breaks off: it announces {promised:.1f} s and holds {max(0.0, found):.1f} s.",
        code="source_truncated",
    )
