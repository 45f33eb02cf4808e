"""Which part of a source is wanted."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.preset import Trim


@dataclass(frozen=True)
class Range:
    """A part of a source. Of a film it lies on the frames of its constant rate, for the sound as for the picture."""

    begin: float  #: seconds
    end: float | None  #: seconds; None: to the end
    first: int = 0  #: frame
    frames: int | None = None  #: None: to the end

    @property
    def whole(self) -> bool:
        """Whether it is all of the source."""
        return self.begin == 0 and self.end is None


WHOLE = Range(begin=0.0, end=None)


def range_of(trim: Trim | None, length: float, rate: Fraction | None) -> Range:
    """The wanted part of a source of `length` seconds, on the frames of `rate` where there is a picture.

    Raises SourceError (trim_outside) when the source ends before it begins.
    """
    if trim is None:
        return WHOLE
    if trim.start >= length:
        raise SourceError(
            f"The wanted part begins at {trim.start:g} s, and the source has {length:.1f} s.", code="trim_outside"
        )
    end = trim.end if trim.end is not None and trim.end < length else None
    if rate is None:
        return Range(trim.start, end)
    # A tolerance of a thousandth of a frame: 0.04 s is frame 1 at 25 frames a second, however it is written.
    first = ceil(Fraction(trim.start) * rate - Fraction(1, 1000))
    if end is None:
        return Range(float(first / rate), None, first)
    frames = max(1, ceil(Fraction(end) * rate - Fraction(1, 1000)) - first)
    return Range(float(first / rate), float((first + frames) / rate), first, frames)
