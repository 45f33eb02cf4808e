"""Which constant frame rate a source gets, and how many frames lie between key frames."""

from fractions import Fraction

from omkt_pipeline.domain.media import VideoTrack

_STANDARD = (
    Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30),
    Fraction(48), Fraction(50), Fraction(60000, 1001), Fraction(60),
)  # fmt: skip
_MPEG2 = tuple(rate for rate in _STANDARD if rate != 48)
_SAME = 0.001  #: as near as this is the same rate
_STEADY = 0.01  #: average and base this near to each other: the rate does not vary
_USUAL = Fraction(30)
_LOWEST = Fraction(1, 10)


def rate_for(track: VideoTrack, max_rate: int) -> tuple[Fraction, bool]:
    """The constant rate of the renditions, and whether the source's own rate varies.

    Every rendition gets a constant rate, on purpose: segments of equal length, key frames on the same frame in every
    rung, and frames that can be counted. A varying source gets the rate on which its timestamps lie when that is at
    most 30, else 30 or 60, whichever holds its average.
    """
    average, base = _fraction(track.average_rate), _fraction(track.base_rate)
    if average is None and base is None:
        return min(_USUAL, Fraction(max_rate)), True
    if average is None or base is None:
        only = average or base or _USUAL
        return (_capped(only, max_rate), False) if only <= max_rate else (min(_USUAL, Fraction(max_rate)), True)
    if track.interlaced and _near(base, 2 * average, _STEADY):
        base = average  # ffprobe counts fields
    if base < average * Fraction(9, 10):
        base = average  # a jump of the clock, not a rate
    if _near(base, average, _SAME):
        return _capped(_standard(average), max_rate), False
    if _near(base, average, _STEADY):
        return _capped(_standard(base), max_rate), True
    if base <= _USUAL:
        return _capped(_standard(base), max_rate), True
    return _capped(_USUAL if average <= _USUAL * Fraction(105, 100) else Fraction(60), max_rate), True


def mpeg2_rate(rate: Fraction) -> Fraction:
    """A frame rate that MPEG-2 has (ISO/IEC 13818-2, table 6-4): a multiple of `rate` where there is one, else more."""
    multiple = next((known for known in _MPEG2 if (known / rate).denominator == 1), None)
    return multiple or next((known for known in _MPEG2 if known >= rate), _MPEG2[-1])


def gop_frames(rate: Fraction, seconds: float) -> int:
    """Frames from one key frame to the next."""
    return max(1, round(rate * Fraction(seconds)))


def _capped(rate: Fraction, max_rate: int) -> Fraction:
    """Halved until it is low enough, so that every second frame is dropped and not an uneven pattern of them."""
    while rate > max_rate:
        rate /= 2
    return max(rate, _LOWEST)


def _standard(rate: Fraction) -> Fraction:
    return next((known for known in _STANDARD if _near(rate, known, _SAME / 2)), rate.limit_denominator(1001))


def _near(one: Fraction, other: Fraction, part: float) -> bool:
    return abs(one - other) <= other * Fraction(part)


def _fraction(text: str | None) -> Fraction | None:
    return Fraction(text) if text else None
