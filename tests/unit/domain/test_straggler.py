import pytest

from omkt_pipeline.domain.straggler import Runner, deserves_second_start


@pytest.mark.parametrize(
    ("elapsed", "progress", "pace", "deserves"),
    [
        (100.0, 0.1, 1.0, True),  # 900 s to go, 20 s anew
        (100.0, 0.95, 1.0, False),  # nearly there
        (30.0, 0.0, 1.0, True),  # has not moved for longer than a whole chunk takes
        (18.0, 0.0, 1.0, False),  # not longer than a chunk takes
        (10.0, 0.1, 0.1, False),  # too soon to tell
        (100.0, 0.1, None, False),  # nothing to compare with
        (100.0, 0.75, 1.0, False),  # 33 s to go, 20 s anew: not clearly sooner
    ],
)
def test_a_second_start_must_clearly_end_sooner(
    elapsed: float, progress: float, pace: float | None, deserves: bool
) -> None:
    runner = Runner(elapsed=elapsed, progress=progress, cost=20.0)

    assert deserves_second_start(runner, pace) is deserves
