"""The tracks of a source that are used, and what is said about a plan while it is made."""

from typing import TypeVar

from omkt_pipeline.domain.media import AudioTrack, MediaFacts, SourceFile, VideoTrack
from omkt_pipeline.domain.plan import Decision
from omkt_pipeline.domain.recipe import Input

Track = TypeVar("Track", VideoTrack, AudioTrack)


class Tracks:
    """The picture and the sound of a source that outputs are made of, and what an encode task must know to read one."""

    def __init__(self, facts: MediaFacts, source: SourceFile) -> None:
        self.facts, self.source = facts, source
        self.video, self.audio = _chosen(facts.video), _chosen(facts.audio)

    def input(self, track: VideoTrack | AudioTrack) -> Input:
        """The track, with the seconds that must come out: every output begins where the file begins."""
        length = track.duration if track.duration is not None else None
        lead = max(0.0, track.start - self.facts.start)
        return Input(
            source=self.source,
            demuxer=self.facts.demuxer,
            index=track.index,
            duration=round(lead + length, 6) if length is not None else self.facts.duration or 0.0,
            clock_by=self._seen_with(track),
            zero_by=self._begun_by(track),
        )

    def _begun_by(self, track: VideoTrack | AudioTrack) -> int | None:
        """The track that begins before this one, as the file does, where it must be read for that."""
        first = self.facts.first if self.facts.counted_from_used else None
        return first.index if first is not None and first.start < track.start else None

    def _seen_with(self, track: VideoTrack | AudioTrack) -> tuple[int, ...]:
        """The other track of a film whose clock jumps."""
        pair = (self.video, self.audio)
        jumps = self.video is not None and self.video.clock_fault == "jump"
        return tuple(one.index for one in pair if jumps and one is not None and one.index != track.index)


class Said:
    """The decisions of one plan, to be explained."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str | None], Decision] = {}

    @property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(self._taken.values())

    def note(self, *decisions: Decision) -> None:
        """Each decision about an output once, in the order in which they were taken."""
        for decision in decisions:
            self._taken.setdefault((decision.code, decision.output), decision)


def _chosen(tracks: tuple[Track, ...]) -> Track | None:
    """The track marked as default, else the first."""
    return next((track for track in tracks if track.default), tracks[0] if tracks else None)
