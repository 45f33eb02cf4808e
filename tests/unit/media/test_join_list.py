"""How long the pieces of a film are said to be when they are laid behind each other."""

from fractions import Fraction
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from omkt_pipeline.media.package_argv import join_list


@given(rate=st.fractions(1, 240, max_denominator=1001), frames=st.lists(st.integers(1, 5000), min_size=1, max_size=300))
def test_rounding_never_adds_up(rate: Fraction, frames: list[int]) -> None:
    lines = join_list([Path("piece")] * len(frames), [number / rate for number in frames]).splitlines()
    told = [Fraction(line.removeprefix("duration ")) for line in lines if line.startswith("duration ")]

    for count in range(len(frames) + 1):
        assert abs(sum(told[:count]) - sum(frames[:count]) / rate) <= Fraction(1, 2_000_000)
