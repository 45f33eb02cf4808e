from fractions import Fraction

import pytest

from omkt_pipeline.domain.media import VideoTrack
from omkt_pipeline.planning.timing import gop_frames, rate_for


def track(average: str | None, base: str | None, *, interlaced: bool = False) -> VideoTrack:
    return VideoTrack(
        index=0, codec="h264", width=16, height=16, average_rate=average, base_rate=base, interlaced=interlaced
    )


@pytest.mark.parametrize(
    ("average", "base", "rate", "varies"),
    [
        ("25/1", "25/1", Fraction(25), False),
        ("30000/1001", "30000/1001", Fraction(30000, 1001), False),
        ("8797/1000", "8797/1000", Fraction(8797, 1000).limit_denominator(1001), False),
        ("120/1", "120/1", Fraction(60), False),  # every second frame
        ("1240/41", "30/1", Fraction(30), True),  # a phone that is nearly steady
        ("13/1", "30/1", Fraction(30), True),
        ("3628800/502589", "57600/1", Fraction(30), True),  # a screen recording
        ("60/1", "1000/1", Fraction(60), True),
        ("25/1", "1/6", Fraction(25), False),  # two recordings glued together
        (None, "100/1", Fraction(30), True),
        (None, "30/1", Fraction(30), False),
        (None, None, Fraction(30), True),
    ],
)
def test_the_rate_is_constant_sane_and_explained(average: str, base: str, rate: Fraction, varies: bool) -> None:
    assert rate_for(track(average, base), 60) == (rate, varies)


def test_fields_are_not_counted_as_frames() -> None:
    assert rate_for(track("25/1", "50/1", interlaced=True), 60) == (Fraction(25), False)


@pytest.mark.parametrize(
    ("rate", "frames"),
    [(Fraction(25), 50), (Fraction(30000, 1001), 60), (Fraction(8797, 1000), 18), (Fraction(1, 3), 1)],
)
def test_a_group_of_pictures_is_a_whole_number_of_frames(rate: Fraction, frames: int) -> None:
    assert gop_frames(rate, 2.0) == frames
