"""Full disks: nothing is claimed, the worker's row says why, and work goes on by itself when there is room again."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.processes.farm import TRANSCODER, Farm
from tests.faults.processes.verdict import judge

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.task import TaskKind
from omkt_pipeline.media.tools import Tools
from omkt_pipeline.queue.workers import ASIDE, UP

_MIB = 1 << 20


@pytest.fixture
def farm_in_memory(sqlite: Database, tools: Tools) -> Iterator[Farm]:
    """A farm on a disk that nobody else fills or empties meanwhile."""
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="omkt-") as folder:
        farm = Farm(Path(folder), sqlite, tools)
        yield farm
        farm.close()


def test_claims_pause_while_a_disk_is_full_and_go_on_by_themselves(farm_in_memory: Farm, silent_film: Path) -> None:
    farm = farm_in_memory
    key = farm.submit_planned(silent_film, "mp4-720p")
    free = shutil.disk_usage(farm.root).free
    ballast = farm.root / "ballast"
    _fill(ballast, 40 * _MIB)
    transcoder = farm.start(*TRANSCODER, share_free_floor=free - 30 * _MIB, scratch_free_floor=free - 10 * _MIB)

    farm.until("the share is full", lambda: _pause_of(farm).startswith("the share has less than"))
    os.truncate(ballast, 20 * _MIB)
    farm.until("scratch is full", lambda: _pause_of(farm).startswith("the scratch disk has less than"))
    assert farm.outcomes(key, TaskKind.ENCODE) == []
    ballast.unlink()

    assert farm.until_ended(key).state is JobState.SUCCEEDED
    worker = farm.worker()
    assert worker is not None
    assert (worker.state, worker.note) == (UP, None)
    assert [entry["reason"] for entry in transcoder.said("claims")][-1] is None
    judge(farm, faults=0)


def _fill(path: Path, size: int) -> None:
    with path.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, size)


def _pause_of(farm: Farm) -> str:
    """Why the worker claims nothing, as its row says."""
    worker = farm.worker()
    return worker.note or "" if worker is not None and worker.state == ASIDE else ""
