"""kill -9 at each step of publishing: one attempt is visible in the end, whole, and nothing of the others is left."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.processes import dying
from tests.faults.processes.farm import TRANSCODER, Farm
from tests.faults.processes.verdict import judge

from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.task import AttemptOutcome, TaskKind, TaskState
from omkt_pipeline.storage.layout import PART

OK, LOST = AttemptOutcome.OK, AttemptOutcome.LOST
PROGRAM = str(Path(dying.__file__))


@pytest.mark.parametrize("step", [dying.before_the_copy, dying.in_mid_copy, dying.after_the_rename])
def test_a_transcoder_that_dies_before_it_settles_has_published_nothing(
    farm: Farm, film: Path, step: Callable[[], None]
) -> None:
    key = farm.submit_planned(film, "hls-h264")

    _die_at(farm, step.__name__)

    assert farm.task(key, TaskKind.PACKAGE).state is TaskState.RUNNING
    assert farm.job(key).outputs[0].entry is None
    attempts = [path.suffix == PART for path in farm.share.root.glob("results/*/*/*")]
    assert attempts == {"before_the_copy": [], "in_mid_copy": [True], "after_the_rename": [False]}[step.__name__]
    _finish(farm, key, outcomes=[LOST, OK])


def test_a_transcoder_that_dies_before_it_commits_has_published_nothing(any_farm: Farm, film: Path) -> None:
    key = any_farm.submit_planned(film, "hls-h264")

    _die_at(any_farm, "before_the_commit")

    assert any_farm.task(key, TaskKind.PACKAGE).state is TaskState.RUNNING
    assert any_farm.job(key).outputs[0].entry is None
    _finish(any_farm, key, outcomes=[LOST, OK])


def test_a_transcoder_that_dies_after_it_committed_has_published(farm: Farm, film: Path) -> None:
    key = farm.submit_planned(film, "hls-h264")

    _die_at(farm, "after_the_commit")

    assert farm.job(key).state is JobState.SUCCEEDED
    _finish(farm, key, outcomes=[OK])


def _die_at(farm: Farm, step: str) -> None:
    victim = farm.start(PROGRAM, step)
    farm.until("it is dead", lambda: victim.process.poll() is not None)
    assert victim.status() == -9, victim.log


def _finish(farm: Farm, key: str, *, outcomes: list[AttemptOutcome]) -> None:
    other = farm.start(*TRANSCODER)
    farm.until("the other one is ready", lambda: other.said("ready"))
    job = farm.until_ended(key)
    assert job.state is JobState.SUCCEEDED
    assert job.outputs[0].entry == "master.m3u8"
    assert farm.outcomes(key, TaskKind.PACKAGE) == outcomes
    judge(farm, faults=1)
