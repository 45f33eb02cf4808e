"""V1 to V4 after a fault: nothing lost, nothing done twice, nothing corrupt, nothing left."""

import time
from collections import Counter

from sqlalchemy import Connection, select
from tests.faults.processes.farm import Farm

from omkt_api.expire import Expire, Retention
from omkt_pipeline.db.tables import artifact, output, task_attempt
from omkt_pipeline.domain.job import JobState, OutputState
from omkt_pipeline.domain.task import AttemptOutcome
from omkt_pipeline.queue.audit import audit
from omkt_pipeline.storage.layout import RESULTS, STAGING

_NO_FAULT_OF_THE_TASK = (AttemptOutcome.OK, AttemptOutcome.RELEASED)


def judge(farm: Farm, *, faults: int) -> None:
    """Stop all daemons and check what is left, after at most so many faults that could hit one task."""
    for daemon in farm.daemons:
        if daemon.process.poll() is None:
            daemon.stop()
    farm.history.look()
    _nothing_lost(farm)
    farm.database.fetch(lambda connection: _nothing_redone(connection, faults))
    _nothing_left(farm)
    assert audit(farm.database, farm.share.root, deep=True) == []


def _nothing_lost(farm: Farm) -> None:
    for key in farm.job_keys:
        job = farm.job(key)
        assert job.state.is_final, f"job {key} is {job.state}"
        assert job.state is JobState.SUCCEEDED or job.error, f"job {key} is {job.state} without a reason"


def _nothing_redone(connection: Connection, faults: int) -> None:
    ended = connection.execute(select(task_attempt.c.task_id, task_attempt.c.outcome)).all()
    in_vain = Counter(one.task_id for one in ended if one.outcome not in _NO_FAULT_OF_THE_TASK)
    assert all(times <= faults for times in in_vain.values()), f"tried more often than faults explain: {ended}"


def _nothing_left(farm: Farm) -> None:
    deadline = time.monotonic() + 5
    while farm.children() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert farm.children() == [], "media tools outlived their daemons"
    assert [path for path in farm.scratch.iterdir() if path.is_dir()] == [], "scratch was not cleaned"
    # A failed job keeps its files for a while, so that it can be tried again; here the while is over at once.
    retention = Retention(originals_seconds=0, results_seconds=0, failed_seconds=0.000001)
    Expire(farm.database, farm.share, lambda: retention).work_once()
    lying = {
        path.relative_to(farm.share.root).as_posix()
        for area in (STAGING, RESULTS)
        for path in (farm.share.root / area).rglob("*")
        if path.is_file()
    }
    assert lying == farm.database.fetch(_promised)


def _promised(connection: Connection) -> set[str]:
    files = (
        select(output.c.folder, artifact.c.path)
        .join(artifact, artifact.c.task_id == output.c.task_id)
        .where(output.c.state == OutputState.PUBLISHED)
    )
    return {f"{row.folder}/{row.path}" for row in connection.execute(files)}
