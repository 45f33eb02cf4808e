"""What work will cost, in CPU seconds: rough, and good enough to weigh jobs against each other."""

from collections.abc import Iterable
from fractions import Fraction

from omkt_pipeline.domain.recipe import EncodeAudio, VideoRendition

#: CPU seconds for a million pixels, measured on one core of a common server.
_ENCODE = {"veryfast": 0.012, "faster": 0.018, "fast": 0.024, "medium": 0.034, "slow": 0.060}
#: How much more than H.264 at the same speed.
_HARDER = {"h264": 1.0, "hevc": 2.5, "vp9": 3.0, "vp8": 1.5, "av1": 2.5, "mpeg2video": 0.6, "flv1": 0.6}
_DECODE = 0.004
_DEINTERLACE = 0.010
_TONE_MAP = 0.080
#: CPU seconds for a second of sound.
_AUDIO = 0.012
_PER_STILL = 0.4
_START = 0.2


def video_cost(
    duration: float,
    rate: Fraction,
    source_pixels: int,
    renditions: Iterable[VideoRendition],
    *,
    deinterlace: bool,
    tone_map: bool,
) -> float:
    """CPU seconds to decode once and encode all renditions."""
    frames = duration * float(rate)
    renditions = tuple(renditions)
    source = _DECODE + (_DEINTERLACE if deinterlace else 0.0)
    largest = max((r.width * r.height for r in renditions), default=0)
    made = sum(r.width * r.height * _ENCODE[r.speed] * _HARDER[r.codec] * (1 + r.two_pass) for r in renditions) + (
        largest * _TONE_MAP if tone_map else 0.0
    )
    return round(_START + frames * (source_pixels * source + made) / 1e6, 1)


def sound_cost(recipe: EncodeAudio) -> float:
    """CPU seconds to decode and encode one sound track; what is normalised is decoded twice."""
    return round(_START + recipe.input.duration * _AUDIO, 1) * (1 if recipe.loudness is None else 2)


def texts_cost(duration: float) -> float:
    """CPU seconds to read titles out of a film."""
    return round(_START + duration * 0.002, 1)


def stills_cost(count: int) -> float:
    """CPU seconds to seek and decode so many stills."""
    return round(_START + count * _PER_STILL, 1)


def board_cost(duration: float, source_pixels: int, *, keys_only: bool) -> float:
    """CPU seconds to look through a film for a storyboard, taking it for one of 25 frames a second."""
    frames = duration * (0.5 if keys_only else 25)
    return round(_START + frames * source_pixels * _DECODE / 1e6, 1)


def extract_cost(size: int) -> float:
    """CPU seconds to copy the sounds out of a film of so many bytes."""
    return round(_START + size * 2e-9, 1)


def package_cost(duration: float) -> float:
    """CPU seconds to copy tracks into their containers."""
    return round(_START + duration * 0.002, 1)
