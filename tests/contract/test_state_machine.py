"""Random walks through the queue, compared at each step with a model that is small enough to be believed."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.servers.databases import clean_database

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import Conflict, LeaseLost, SourceError, Stopped, Unavailable
from omkt_pipeline.domain.task import NEXT, Pool, Task, TaskState, TaskView
from omkt_pipeline.queue.audit import audit_rows
from omkt_pipeline.queue.beat import beat
from omkt_pipeline.queue.giveback import acknowledge_cancel, fail, release
from omkt_pipeline.queue.jobs import cancel, retry
from omkt_pipeline.queue.overview import tasks_of
from omkt_pipeline.queue.rescue import Rescuer, promote
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.testing import a_job, a_plan, a_settlement, an_account, take

LOST = -1.0
POOLS = st.sampled_from([Pool.METADATA, Pool.TRANSCODER])


class Queue(RuleBasedStateMachine):
    """The model: which attempts hold their task, and which have lost it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="omkt-walk-"))
        self.farm = clean_database("sqlite", self.folder)
        self.database = self.farm.__enter__()
        self.account = an_account(self.database)
        self.jobs: list[str] = []
        self.held: list[Task] = []
        self.gone: list[Task] = []
        self.known: dict[int, tuple[TaskState, int]] = {}

    def teardown(self) -> None:
        self.farm.__exit__(None, None, None)
        shutil.rmtree(self.folder)

    @precondition(lambda self: len(self.jobs) < 4)
    @rule()
    def submit(self) -> None:
        self.jobs.append(a_job(self.database, self.account, path="film.mov"))

    @rule(pool=POOLS, lease=st.sampled_from([60.0, 60.0, LOST]))
    def claim(self, pool: Pool, lease: float) -> None:
        claimed = take(self.database, pool, lease_seconds=lease)
        if claimed is not None:
            assert claimed.id not in {one.id for one in self.held}, "claimed twice"
            self.held.append(claimed)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.held))
        self.held.remove(one)
        try:
            settle(self.database, one, a_settlement(one, plan=a_plan(encodes=2, outputs=("a", "b"))))
        except Stopped:
            acknowledge_cancel(self.database, one)
        self.gone.append(one)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), how=st.sampled_from(["transient", "permanent", "release", "beat"]))
    def end_otherwise(self, data: st.DataObject, how: str) -> None:
        one = data.draw(st.sampled_from(self.held))
        if how == "beat":
            beat(self.database, one, lease_seconds=60, progress=0.5)
            return
        self.held.remove(one)
        self.gone.append(one)
        if how == "release":
            release(self.database, one)
        else:
            error = Unavailable() if how == "transient" else SourceError()
            fail(self.database, one, error, host="alpha", backoff_base=0.0)

    @precondition(lambda self: self.gone)
    @rule(data=st.data())
    def a_zombie_wakes(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.gone))
        try:
            beat(self.database, one, lease_seconds=60, progress=0.9)
        except LeaseLost:
            return
        raise AssertionError("a zombie renewed a lease")

    @rule()
    def rescue(self) -> None:
        self.database.transact(Rescuer(self.database, lease_seconds=0.0)._take_back)
        running = {view.id: view.attempts for view in self.tasks() if view.state is TaskState.RUNNING}
        kept = [one for one in self.held if running.get(one.id) == one.attempt]
        self.gone += [one for one in self.held if one not in kept]
        self.held = kept

    @rule()
    def promote(self) -> None:
        promote(self.database)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), verb=st.sampled_from([cancel, retry]))
    def cancel_or_retry(self, data: st.DataObject, verb: Callable[[Database, int, str], None]) -> None:
        with contextlib.suppress(Conflict):
            verb(self.database, self.account, data.draw(st.sampled_from(self.jobs)))

    @invariant()
    def every_promise_holds(self) -> None:
        assert audit_rows(self.database) == []

    @invariant()
    def tasks_move_along_the_edges(self) -> None:
        running = set()
        for view in self.tasks():
            before, attempts = self.known.get(view.id, (view.state, view.attempts))
            assert view.state in reachable(before), f"{before.name} -> {view.state.name}"
            assert view.attempts - attempts in (0, 1)
            self.known[view.id] = (view.state, view.attempts)
            if view.state is TaskState.RUNNING:
                running.add((view.id, view.attempts))
        assert running == {(one.id, one.attempt) for one in self.held}

    def tasks(self) -> list[TaskView]:
        return [view for key in self.jobs for view in tasks_of(self.database, self.account, key)]


def reachable(state: TaskState) -> set[TaskState]:
    """Where one verb may take a task: one edge, or two, as a retry that frees at once what it made wait."""
    one = {state} | NEXT[state]
    return one | {after for middle in one if middle is TaskState.WAITING for after in NEXT[middle]}


TestQueue = Queue.TestCase
TestQueue.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
