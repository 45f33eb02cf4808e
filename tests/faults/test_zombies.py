"""Fault 21: a worker sleeps through its lease at each step of publishing, and wakes. Fault 30: a task that kills workers."""

import os
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.faults.gang import Gang, until_quiet
from tests.servers.databases import ENGINES, clean_database

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import task_attempt
from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.task import AttemptOutcome, Pool, TaskKind, TaskState
from omkt_pipeline.queue.audit import audit
from omkt_pipeline.queue.overview import job_by_key, published_output, tasks_of
from omkt_pipeline.queue.rescue import MAX_LOSSES
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.testing import a_plan, a_planned_job, a_settlement, an_account, taken

#: Probe, plan, encode and package.
STEPS = 4


class WaitAt:
    """At this step one worker, the first, leaves its process id behind and waits until it is told to go on."""

    def __init__(self, step: str, folder: Path) -> None:
        self.step, self.note, self.go = step, folder / "waits", folder / "go"

    def __call__(self, step: str) -> None:
        if step != self.step:
            return
        try:
            with self.note.open("x") as stream:
                stream.write(str(os.getpid()))
        except FileExistsError:
            return
        while not self.go.exists():
            time.sleep(0.02)

    def who(self) -> int:
        """The process id of the worker that waits."""
        deadline = time.monotonic() + 60
        while not (self.note.exists() and self.note.read_text()):
            assert time.monotonic() < deadline, f"no worker came to the step {self.step}"
            time.sleep(0.02)
        return int(self.note.read_text())


class DieAt:
    """At this step every worker dies."""

    def __init__(self, step: str) -> None:
        self.step = step

    def __call__(self, step: str) -> None:
        if step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def put_to_sleep(database: Database, process: int) -> None:
    """SIGSTOP, at a moment when the process does not hold SQLite's write lock: that nobody could take from it."""
    database.transact(lambda _: os.kill(process, signal.SIGSTOP))


def attempts(database: Database, outcome: AttemptOutcome) -> int:
    question = select(task_attempt.c.token).where(task_attempt.c.outcome == outcome)
    return len(database.fetch(lambda connection: connection.execute(question).all()))


def one_package_is_left(database: Database, account: int) -> str:
    key = a_planned_job(database, account, a_plan(encodes=1))
    held = taken(database, Pool.TRANSCODER)
    settle(database, held, a_settlement(held))
    return key


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("step", ["begun", "made", "copying", "stored"])
def test_a_worker_that_slept_through_its_lease_changes_nothing(engine: str, step: str, tmp_path: Path) -> None:
    pause = WaitAt(step, tmp_path)
    with clean_database(engine, tmp_path) as database:
        key = one_package_is_left(database, an_account(database))
        with Gang(database, tmp_path, size=2, lease_seconds=1.0, step=pause) as gang:
            put_to_sleep(database, pause.who())
            # A server takes up to a minute to take a row lock from whoever sleeps in the middle of a transaction.
            until_quiet(database, lambda: None, every=0.1, at_most=120)
            before = visible(database, gang.share.root, key)
            pause.go.touch()
            os.kill(pause.who(), signal.SIGCONT)
            until_all_attempts_are_over(tmp_path)

            assert visible(database, gang.share.root, key) == before
            assert len(list((gang.share.root / "results" / key / "film").iterdir())) == 1
        # One for the one that was stopped; on a busy machine another may have been too slow for its lease.
        assert attempts(database, AttemptOutcome.LOST) >= 1
        assert attempts(database, AttemptOutcome.OK) == STEPS
        assert audit(database, gang.share.root, deep=True) == []


def visible(database: Database, root: Path, key: str) -> bytes:
    shown = published_output(database, key, "film")
    return shown.folder.encode() + (root / shown.folder / shown.entry).read_bytes()


def until_all_attempts_are_over(folder: Path) -> None:
    """Wait until the woken worker has cleaned up behind itself: its attempt's scratch folder goes last."""
    deadline = time.monotonic() + 60
    while any(path.is_dir() for path in folder.glob("scratch-*/*/*-a*")):
        assert time.monotonic() < deadline, "the woken worker does not end its attempt"
        time.sleep(0.05)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_task_that_kills_every_worker_is_set_aside_and_others_are_done(engine: str, tmp_path: Path) -> None:
    with clean_database(engine, tmp_path) as database:
        account = an_account(database)
        poisoned = one_package_is_left(database, account)
        others = a_planned_job(database, account, a_plan(encodes=5))
        die = DieAt("begun")
        with Gang(database, tmp_path, size=2, lease_seconds=1.0, max_losses=MAX_LOSSES, step=die) as gang:
            until_quiet(database, gang.replace_the_dead, every=0.1, at_most=60)
        view = job_by_key(database, account, poisoned)
        encodes = [one for one in tasks_of(database, account, others) if one.kind is TaskKind.ENCODE]

        assert view.state is JobState.FAILED
        assert view.error is not None
        assert view.error.code == "quarantined"
        assert {one.state for one in encodes} == {TaskState.DONE}
        assert attempts(database, AttemptOutcome.LOST) >= MAX_LOSSES
        assert audit(database, gang.share.root) == []
