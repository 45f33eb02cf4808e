"""kill -9 of a daemon while its media tool runs: the tool dies too, and another daemon does the work."""

from pathlib import Path

from tests.faults.processes.farm import LEASE_SECONDS, METADATA, TRANSCODER, Farm
from tests.faults.processes.stubs import HANGING, SLOW, Stub
from tests.faults.processes.verdict import judge

from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.task import AttemptOutcome, TaskKind, TaskState

#: What ffmpeg writes to, below the scratch root of all workers.
MADE = "worker-*/*/made/*"  # a file, or a folder of segments
#: How long a process may live on after the signal that ends it.
MOMENT_SECONDS = 5.0


def test_a_metadata_daemon_that_dies_while_probing_takes_ffprobe_along_and_another_one_probes(
    farm: Farm, silent_film: Path
) -> None:
    ffprobe = Stub(farm.root, farm.tools.ffprobe, HANGING)
    victim = farm.start(*METADATA, ffprobe=ffprobe.path)
    key = farm.submit(silent_film, "mp4-720p")
    farm.until("ffprobe runs", lambda: farm.children(program=ffprobe.path))

    victim.kill()

    farm.until("ffprobe is gone", lambda: not farm.children(), within=MOMENT_SECONDS)
    ffprobe.heal()
    farm.start(*METADATA, ffprobe=ffprobe.path)
    farm.until(
        "the plan is made", lambda: farm.task(key, TaskKind.PLAN).state is TaskState.DONE, within=LEASE_SECONDS + 20
    )
    assert farm.outcomes(key, TaskKind.PROBE) == [AttemptOutcome.LOST, AttemptOutcome.OK]
    assert farm.outcomes(key, TaskKind.PLAN) == [AttemptOutcome.OK]
    farm.start(*TRANSCODER)
    assert farm.until_ended(key).state is JobState.SUCCEEDED
    judge(farm, faults=1)


def test_a_transcoder_that_dies_while_encoding_takes_ffmpeg_along_and_another_one_encodes(
    any_farm: Farm, film: Path
) -> None:
    farm = any_farm
    ffmpeg = Stub(farm.root, farm.tools.ffmpeg, SLOW)
    key = farm.submit_planned(film, "hls-h264")
    victim = farm.start(*TRANSCODER, ffmpeg=ffmpeg.path)
    farm.until("picture and sound are being encoded", lambda: len(begun(farm)) == 2)

    victim.kill()

    farm.until("no ffmpeg is left", lambda: not farm.children(), within=MOMENT_SECONDS)
    assert len(begun(farm)) == 2, "the dead clean up nothing"
    ffmpeg.heal()
    farm.start(*TRANSCODER, ffmpeg=ffmpeg.path)
    assert farm.until_ended(key).state is JobState.SUCCEEDED
    assert farm.outcomes(key, TaskKind.PACKAGE) == [AttemptOutcome.OK]
    judge(farm, faults=1)


def begun(farm: Farm) -> set[Path]:
    """The attempts that have begun to make something."""
    return {made.parent for made in farm.scratch.glob(MADE)}


def test_a_new_worker_leaves_the_scratch_of_the_living_alone(farm: Farm, silent_film: Path) -> None:
    ffmpeg = Stub(farm.root, farm.tools.ffmpeg, SLOW)
    key = farm.submit_planned(silent_film, "mp4-720p")
    farm.start(*TRANSCODER, ffmpeg=ffmpeg.path)
    farm.until("a film is being encoded", lambda: list(farm.scratch.glob(MADE)))
    (encode,) = farm.children(program=ffmpeg.real)

    second = farm.start(*METADATA)
    farm.until("the second daemon is ready", lambda: second.said("ready"))

    assert list(farm.scratch.glob(MADE))
    assert encode.is_running()
    encode.kill()
    ffmpeg.heal()
    assert farm.until_ended(key).state is JobState.SUCCEEDED
    judge(farm, faults=1)
