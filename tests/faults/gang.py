"""A gang of worker processes that a test starts, kills, stops and replaces; and the way to wait for a farm to be quiet."""

import multiprocessing
import random
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType

from sqlalchemy import func, select
from tests.faults.labour import Labour, go_on, work

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job, task
from omkt_pipeline.domain.errors import Unavailable
from omkt_pipeline.domain.task import TaskState
from omkt_pipeline.queue.endings import OPEN_JOB
from omkt_pipeline.queue.farm import found_farm
from omkt_pipeline.storage.share import Share

#: Workers are forked from a process that has imported everything: twenty of them start in no time.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["__main__", "tests.faults.labour"])
# The forked ones import this folder by name, however pytest was called.
sys.path.append(str(Path(__file__).resolve().parents[2]))


#: Where workers die at random, the same task may be hit three times by chance; that is no reason to set it aside.
ANY = 1000


class Gang:
    """So many workers, each a process of its own; a killed one is replaced."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        size: int,
        lease_seconds: float,
        slow: float = 0.0,
        max_losses: int = ANY,
        step: Callable[[str], None] = go_on,
        share: Share | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.share = share or Share.create(folder / "share", farm_id=found_farm(database).id)
        self._url = database.url.render_as_string(hide_password=False)
        self._folder = folder
        self._lease_seconds = lease_seconds
        self._slow = slow
        self._max_losses = max_losses
        self._step = step
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
            worker.join()

    def kill_one(self, chance: random.Random) -> None:
        """kill -9 for one of them, and another in its place."""
        victim = self.workers.pop(chance.randrange(len(self.workers)))
        victim.kill()
        victim.join()
        self.workers.append(self._start())

    def replace_the_dead(self) -> None:
        """Start another for each that died by itself."""
        alive = [worker for worker in self.workers if worker.is_alive()]
        self.workers = alive + [self._start() for _ in range(len(self.workers) - len(alive))]

    def _start(self) -> BaseProcess:
        self._started += 1
        scratch = self._folder / f"scratch-{self._started}"
        scratch.mkdir()
        labour = Labour(
            url=self._url,
            root=self.share.root,
            scratch=scratch,
            host=f"host{self._started % 4}",
            lease_seconds=self._lease_seconds,
            slow_seconds=self._slow,
            max_losses=self._max_losses,
            step=self._step,
        )
        worker = _PROCESSES.Process(target=work, args=(labour,), daemon=True)
        worker.start()
        return worker


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
