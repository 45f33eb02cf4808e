"""SIGTERM: what fits the grace is finished, the rest is given back at no cost, and nothing runs on."""

from pathlib import Path

from tests.faults.processes.farm import TRANSCODER, Farm
from tests.faults.processes.stubs import LIVE, SLOW, Stub
from tests.faults.processes.verdict import judge

from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.task import AttemptOutcome, TaskKind, TaskState

OK, RELEASED = AttemptOutcome.OK, AttemptOutcome.RELEASED


def test_an_encode_that_fits_the_grace_is_finished_and_nothing_new_begun(farm: Farm, silent_film: Path) -> None:
    ffmpeg = Stub(farm.root, farm.tools.ffmpeg, LIVE)
    key = farm.submit_planned(silent_film, "mp4-720p")
    daemon = farm.start(*TRANSCODER, ffmpeg=ffmpeg.path, grace_seconds=50)
    farm.until("ffmpeg runs", lambda: farm.children(program=ffmpeg.real))

    daemon.stop()

    assert farm.outcomes(key, TaskKind.ENCODE) == [OK]
    assert farm.task(key, TaskKind.PACKAGE).state is TaskState.READY
    assert farm.worker() is None
    _finish(farm, key, ffmpeg)


def test_an_encode_that_does_not_fit_the_grace_is_given_back(farm: Farm, silent_film: Path) -> None:
    ffmpeg = Stub(farm.root, farm.tools.ffmpeg, SLOW)
    key = farm.submit_planned(silent_film, "mp4-720p")
    daemon = farm.start(*TRANSCODER, ffmpeg=ffmpeg.path, grace_seconds=0.5)
    farm.until("ffmpeg runs", lambda: farm.children(program=ffmpeg.real))

    daemon.stop()

    _was_given_back(farm, key)
    _finish(farm, key, ffmpeg)


def test_a_second_signal_gives_back_at_once(farm: Farm, silent_film: Path) -> None:
    ffmpeg = Stub(farm.root, farm.tools.ffmpeg, SLOW)
    key = farm.submit_planned(silent_film, "mp4-720p")
    daemon = farm.start(*TRANSCODER, ffmpeg=ffmpeg.path, grace_seconds=3600)
    farm.until("ffmpeg runs", lambda: farm.children(program=ffmpeg.real))
    daemon.ask_to_stop()
    farm.until("it is stopping", lambda: daemon.said("stopping"))

    daemon.stop()

    _was_given_back(farm, key)
    _finish(farm, key, ffmpeg)


def _was_given_back(farm: Farm, key: str) -> None:
    encode = farm.task(key, TaskKind.ENCODE)
    assert encode.state is TaskState.READY
    assert encode.reason is None
    assert [attempt.outcome for attempt in encode.history] == [RELEASED]
    assert farm.children() == []


def _finish(farm: Farm, key: str, ffmpeg: Stub) -> None:
    ffmpeg.heal()
    farm.start(*TRANSCODER, ffmpeg=ffmpeg.path)
    assert farm.until_ended(key).state is JobState.SUCCEEDED
    judge(farm, faults=0)
