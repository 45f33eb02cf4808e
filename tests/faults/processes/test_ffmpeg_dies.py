"""ffmpeg alone dies, lies or hangs: the worker lives on, tries again, and gives up with a reason when nothing helps."""

import signal
from pathlib import Path

from tests.faults.processes.farm import TRANSCODER, Farm
from tests.faults.processes.stubs import SHORT, SLOW, STALLED, Stub
from tests.faults.processes.verdict import judge

from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.task import AttemptOutcome, TaskKind
from omkt_pipeline.queue.giveback import MAX_FAILURES

OK, FAILED = AttemptOutcome.OK, AttemptOutcome.FAILED


def test_an_ffmpeg_that_is_killed_or_crashes_is_tried_again(farm: Farm, silent_film: Path) -> None:
    ffmpeg = Stub(farm.root, farm.tools.ffmpeg, SLOW)
    key = farm.submit_planned(silent_film, "mp4-720p")
    daemon = farm.start(*TRANSCODER, ffmpeg=ffmpeg.path)

    for tried, blow in enumerate((signal.SIGKILL, signal.SIGSEGV), start=1):
        (encode,) = farm.until("ffmpeg runs", lambda: farm.children(program=ffmpeg.real))
        encode.send_signal(blow)
        farm.until(
            "that is noticed", lambda tried=tried: farm.outcomes(key, TaskKind.ENCODE)[:tried] == [FAILED] * tried
        )
    ffmpeg.heal()

    assert farm.until_ended(key).state is JobState.SUCCEEDED
    history = farm.task(key, TaskKind.ENCODE).history
    assert [attempt.outcome for attempt in history] == [FAILED, FAILED, OK]
    assert [attempt.error_code for attempt in history] == ["tool_killed", "tool_killed", None]
    assert "SIGKILL" in str(history[0].message)
    assert "SIGSEGV" in str(history[1].message)
    assert daemon.process.poll() is None
    judge(farm, faults=2)


def test_an_ffmpeg_that_ends_well_with_half_a_film_is_not_believed(farm: Farm, silent_film: Path) -> None:
    ffmpeg = Stub(farm.root, farm.tools.ffmpeg, SHORT)
    key = farm.submit_planned(silent_film, "mp4-720p")

    farm.start(*TRANSCODER, ffmpeg=ffmpeg.path)

    job = farm.until_ended(key)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error.code == "verify_short"
    assert farm.outcomes(key, TaskKind.ENCODE) == [FAILED] * MAX_FAILURES
    assert farm.outcomes(key, TaskKind.PACKAGE) == []
    judge(farm, faults=MAX_FAILURES)


def test_half_a_film_is_made_whole_by_another_try(farm: Farm, silent_film: Path) -> None:
    ffmpeg = Stub(farm.root, farm.tools.ffmpeg, SHORT)
    key = farm.submit_planned(silent_film, "mp4-720p")
    farm.start(*TRANSCODER, ffmpeg=ffmpeg.path)
    farm.until("it is refused once", lambda: FAILED in farm.outcomes(key, TaskKind.ENCODE))

    ffmpeg.heal()

    assert farm.until_ended(key).state is JobState.SUCCEEDED
    judge(farm, faults=2)


def test_an_ffmpeg_whose_film_stands_still_is_killed_with_its_helpers(farm: Farm, silent_film: Path) -> None:
    ffmpeg = Stub(farm.root, farm.tools.ffmpeg, STALLED)
    key = farm.submit_planned(silent_film, "mp4-720p")
    daemon = farm.start(*TRANSCODER, ffmpeg=ffmpeg.path, stall_seconds=2)
    farm.until("ffmpeg and its helper run", lambda: len(farm.children()) == 2)
    hung = farm.children()
    ffmpeg.heal()

    farm.until("it is given up", lambda: FAILED in farm.outcomes(key, TaskKind.ENCODE))

    assert not [process for process in hung if process.is_running()]
    assert farm.until_ended(key).state is JobState.SUCCEEDED
    assert farm.task(key, TaskKind.ENCODE).history[0].error_code == "tool_stalled"
    assert daemon.process.poll() is None
    judge(farm, faults=2)
