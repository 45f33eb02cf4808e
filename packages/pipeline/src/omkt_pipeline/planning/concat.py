"""Several films one after the other: what each must become so that they can follow each other."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeVar

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.media import AudioTrack, MediaFacts, SourceFile, StoredMedia, VideoTrack
from omkt_pipeline.domain.recipe import Concat, ConcatPart
from omkt_pipeline.planning.colour import colour_of
from omkt_pipeline.planning.timing import rate_for

Track = TypeVar("Track", VideoTrack, AudioTrack)

_MOST_RATE = 60
_STEREO, _SURROUND = 2, 6


def concat_of(parts: Sequence[StoredMedia], *, most_seconds: float) -> Concat:
    """How these media are laid behind each other: in the size and rate of the first picture, the most channels of all.

    Of each the picture and the sound marked as default are used. Raises SourceError (source_unprobed, source_no_tracks), and
    source_too_long where all of them together are longer than `most_seconds`.
    """
    known = [(part, _facts(part)) for part in parts]
    together = sum(facts.duration or 0.0 for _, facts in known)
    if together > most_seconds:
        raise SourceError(
            f"The parts last {together / 3600:.1f} hours together; this farm takes at most {most_seconds / 3600:.0f}.",
            code="source_too_long",
        )
    pictures = [track for _, facts in known if (track := _default(facts.video)) is not None]
    first = pictures[0] if pictures else None
    size = _even_size(first) if first is not None else (0, 0)
    rate = rate_for(first, _MOST_RATE)[0] if first is not None else Fraction(0)
    sounds = [sound for _, facts in known if (sound := _default(facts.audio)) is not None]
    channels = max((sound.channels for sound in sounds), default=0)
    if first is None and not channels:
        raise SourceError("None of the parts has picture or sound.", code="source_no_tracks")
    return Concat(
        parts=tuple(_part(part, facts, size) for part, facts in known),
        width=size[0],
        height=size[1],
        rate=f"{rate.numerator}/{rate.denominator}" if first is not None else None,
        channels=channels if channels <= _STEREO else _SURROUND if channels >= _SURROUND else _STEREO,
    )


def _facts(part: StoredMedia) -> MediaFacts:
    if part.facts is None or not part.facts.duration:
        raise SourceError(f"Nothing is known of the media {part.key}, or not how long it is.", code="source_unprobed")
    return part.facts


def _part(part: StoredMedia, facts: MediaFacts, size: tuple[int, int]) -> ConcatPart:
    video, audio = _default(facts.video), _default(facts.audio)
    width, height = _within(video.display_size, size) if video is not None else size
    return ConcatPart(
        source=SourceFile(path=part.path, bytes=part.bytes),
        demuxer=facts.demuxer,
        seconds=facts.duration or 0.0,
        video=video.index if video is not None else None,
        audio=audio.index if audio is not None else None,
        video_pad=_pad(video, facts),
        audio_pad=_pad(audio, facts),
        width=width,
        height=height,
        interlaced=video is not None and video.interlaced,
        tone_map=video.colour.hdr if video is not None else None,
        colour=colour_of(video) if video is not None else None,
    )


def _pad(track: VideoTrack | AudioTrack | None, facts: MediaFacts) -> float:
    """How much earlier than the whole part one of its tracks ends, by what probing saw."""
    whole = facts.duration or 0.0
    if track is None or track.duration is None:
        return whole
    return max(0.0, whole - (track.start - facts.start + track.duration))


def _default(tracks: Sequence[Track]) -> Track | None:
    return next((track for track in tracks if track.default), tracks[0] if tracks else None)


def _even_size(track: VideoTrack) -> tuple[int, int]:
    width, height = track.display_size
    return max(2, width // 2 * 2), max(2, height // 2 * 2)


def _within(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """The size of a picture that fills a box without being squeezed."""
    factor = min(Fraction(box[0], size[0]), Fraction(box[1], size[1]))
    width, height = (max(2, 2 * round(length * factor / 2)) for length in size)
    return min(width, box[0]), min(height, box[1])
