"""Which moments of a film are shown in stills, on storyboards and in previews."""

import itertools
import math
from fractions import Fraction
from typing import Any

from omkt_pipeline.domain.media import VideoTrack
from omkt_pipeline.domain.preset import PosterPreset, PreviewPreset, StoryboardPreset, ThumbnailsPreset
from omkt_pipeline.domain.recipe import Still, VideoRendition
from omkt_pipeline.planning.picture import fit
from omkt_pipeline.planning.timing import gop_frames

#: Lines of the largest still.
_LARGEST = 4320
#: A poster is looked for up to here, as a part of the film: later ones tell how it ends.
_BEFORE = 0.5
_POSTER_FRAMES = 25
#: Decoders of ffmpeg that call every frame that they are told to skip an error.
_DECODED_WHOLE = frozenset({"theora", "h261"})


def stills_of(preset: ThumbnailsPreset | PosterPreset, track: VideoTrack, length: float) -> list[Still]:
    """The stills of an output from a film of `length` seconds."""
    width, height = fit(track.display_size, preset.size)
    if isinstance(preset, PosterPreset):
        step = max(0.0, _BEFORE - preset.at) / max(1, preset.moments - 1)
        first, *others = (round((preset.at + step * number) * length, 3) for number in range(preset.moments))
        poster = Still(name="poster", at=first, width=width, height=height, quality=preset.quality)
        return [poster.model_copy(update={"choose_from": _POSTER_FRAMES, "also_at": tuple(others)})]
    if preset.full_size:
        # The names under which clients of the original look for them: h for high, l for low.
        sizes = (("h", fit(track.display_size, _LARGEST)), ("l", (width, height)))
        return [
            Still(name=f"{kind}{number:02d}", at=at, width=size[0], height=size[1], quality=preset.quality)
            for number, at in enumerate(_moments(preset, length))
            for kind, size in sizes
        ]
    return [
        Still(name=f"thumb-{number + 1:03d}", at=at, width=width, height=height, quality=preset.quality)
        for number, at in enumerate(_moments(preset, length))
    ]


def spread(preset: StoryboardPreset, length: float) -> tuple[float, int]:
    """Seconds between the pictures of a storyboard, and how many there are."""
    apart = max(preset.seconds_apart, math.ceil(length / preset.most * 10) / 10)
    return apart, max(1, min(preset.most, math.ceil(length / apart)))


def sheet_of(preset: StoryboardPreset, track: VideoTrack, apart: float, count: int) -> dict[str, Any]:
    """How `count` pictures that lie `apart` seconds from each other are laid out, and how large and good they are."""
    width, height = fit(track.display_size, preset.size)
    columns = min(preset.columns, count)
    rows = min(preset.rows, -(-count // columns))
    layout = {"apart": apart, "count": count, "columns": columns, "rows": rows}
    return {**layout, "width": width, "height": height, "quality": preset.quality}


def keys_suffice(track: VideoTrack, length: float, apart: float) -> bool:
    """Whether a key frame lies near every moment of a storyboard, so that nothing else need be decoded."""
    if track.codec in _DECODED_WHOLE:
        return False
    times = (*track.key_times, track.start + length)
    gaps = (later - sooner for sooner, later in itertools.pairwise(times))
    return len(track.key_times) > 1 and max(gaps) <= apart


def pieces_of(preset: PreviewPreset, length: float) -> tuple[tuple[float, ...], float]:
    """Where the moments of a preview begin, and how many seconds each has: a short film is shown whole."""
    if length <= preset.pieces * preset.seconds_each:
        return (0.0,), length
    middles = (length * (number + 0.5) / preset.pieces for number in range(preset.pieces))
    return tuple(round(max(0.0, middle - preset.seconds_each / 2), 3) for middle in middles), preset.seconds_each


def preview_rendition(preset: PreviewPreset, track: VideoTrack, rate: Fraction) -> VideoRendition:
    """How a preview is encoded."""
    width, height = fit(track.display_size, preset.size)
    return VideoRendition(
        name="preview", width=width, height=height, crf=preset.crf, max_kbps=preset.max_kbps,
        buffer_kbits=2 * preset.max_kbps, speed="medium", profile="high", gop_frames=gop_frames(rate, 2.0),
    )  # fmt: skip


def _moments(preset: ThumbnailsPreset, length: float) -> list[float]:
    """Seconds that are wanted, or the middles of equal parts: the very first and last frames are often black."""
    if preset.at:
        # A moment behind the end shows the last one.
        return [round(min(at, max(0.0, length - 0.1)), 3) for at in preset.at]
    room = max(1, int(length / preset.seconds_apart)) if preset.seconds_apart else preset.count
    count = min(preset.count, room)
    return [round(length * (number + 0.5) / count, 3) for number in range(count)]
