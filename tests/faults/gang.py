"""A gang of worker processes that a test starts, kills, stops and replaces; and the way to wait for a farm to be quiet."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from sqlalchemy import func, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job, task
from omkt_pipeline.domain.errors import Unavailable
from omkt_pipeline.domain.task import TaskState
from omkt_pipeline.queue.endings import OPEN_JOB
from omkt_pipeline.queue.farm import found_farm
from omkt_pipeline.storage.share import Share

ROOT = Path(__file__).resolve().parents[2]


class Gang:
    """So many workers, each a process of its own; a killed one is replaced."""

    def __init__(self, database: Database, folder: Path, *, size: int, lease_seconds: float, slow: float = 0.0) -> None:
        self.share = Share.create(folder / "share", farm_id=found_farm(database).id)
        self._url = database.url.render_as_string(hide_password=False)
        self._folder = folder
        self._lease_seconds = lease_seconds
        self._slow = slow
        self._started = 0
        self.workers = [self._start() for _ in range(size)]

    def __enter__(self) -> "Gang":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.kill()
        for worker in self.workers:
            worker.wait()

    def kill_one(self, chance: random.Random) -> None:
        """kill -9 for one of them, and another in its place."""
        victim = self.workers.pop(chance.randrange(len(self.workers)))
        victim.kill()
        victim.wait()
        self.workers.append(self._start())

    def stop_one(self, chance: random.Random) -> int:
        """SIGSTOP for one of them; return its process id."""
        victim = chance.choice(self.workers)
        os.kill(victim.pid, signal.SIGSTOP)
        return victim.pid

    def _start(self) -> subprocess.Popen[bytes]:
        self._started += 1
        scratch = self._folder / f"scratch-{self._started}"
        scratch.mkdir()
        command = [
            sys.executable, "-m", "tests.faults.labour", self._url, str(self.share.root), str(scratch),
            str(self._lease_seconds), f"host{self._started % 4}", str(self._slow),
        ]  # fmt: skip
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, cwd=ROOT, stdin=quiet, stdout=quiet, stderr=quiet)


def open_tasks(database: Database) -> int:
    """Tasks that are not at their end; a database that is away counts as one."""
    question = select(func.count()).select_from(task).where(task.c.state < TaskState.DONE)
    try:
        return database.fetch(lambda connection: connection.execute(question).scalar_one())
    except Unavailable:
        return 1


def open_jobs(database: Database) -> int:
    """Jobs that are not at their end."""
    question = select(func.count()).select_from(job).where(job.c.state.in_(OPEN_JOB))
    return database.fetch(lambda connection: connection.execute(question).scalar_one())


def until_quiet(database: Database, meanwhile: Callable[[], object], *, every: float, at_most: float) -> None:
    """Do something again and again until no task is open."""
    deadline = time.monotonic() + at_most
    while open_tasks(database):
        assert time.monotonic() < deadline, f"{open_tasks(database)} tasks are still open"
        time.sleep(every)
        meanwhile()
