"""Promise 4: the work of a vanished worker goes on elsewhere; and nobody is robbed by a mistake of the clock."""

import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection, update
from tests.contract.looking import job_state, outcomes, task_row, task_state, task_states

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import task
from omkt_pipeline.db.types import now_plus
from omkt_pipeline.domain.job import JobState, Priority
from omkt_pipeline.domain.task import Pool, TaskState
from omkt_pipeline.queue.beat import beat
from omkt_pipeline.queue.claim import has_ready
from omkt_pipeline.queue.giveback import release
from omkt_pipeline.queue.overview import job_by_key
from omkt_pipeline.queue.rescue import MAX_LOSSES, Rescuer, promote, promote_aged
from omkt_pipeline.testing import a_job, a_plan, a_planned_job, take, taken


class TurnedRescuer(Rescuer):
    """A rescuer whose clock and whose view of the database's clock are turned by the test."""

    def __init__(self, database: Database, *, lease_seconds: float) -> None:
        self.here = 1000.0
        self.ahead = 0.0
        super().__init__(database, lease_seconds=lease_seconds, monotonic=lambda: self.here)

    def _look(self, connection: Connection) -> tuple[float, int, int]:
        _, expired, running = super()._look(connection)
        return self.here + self.ahead, expired, running

    def after(self, seconds: float) -> int:
        """Rescue when so much time has passed on both clocks."""
        self.here += seconds
        return self.rescue()


def test_a_task_whose_lease_ran_out_is_given_to_another(database: Database, account: int) -> None:
    a_job(database, account)
    lost = taken(database, Pool.COURIER, lease_seconds=-1)

    assert Rescuer(database, lease_seconds=60).rescue() == 1
    assert promote(database) == 1

    again = taken(database, Pool.COURIER, host="beta")
    assert (again.id, again.attempt) == (lost.id, 2)
    assert outcomes(database, lost) == ["lost", None]
    assert task_row(database, lost.id).losses == 1
    assert task_row(database, lost.id).failures == 0


def test_a_task_whose_worker_beats_is_left_alone(database: Database, account: int) -> None:
    a_job(database, account)
    held = taken(database, Pool.COURIER)
    rescuer = Rescuer(database, lease_seconds=60)

    for _ in range(3):
        assert rescuer.rescue() == 0
        beat(database, held, lease_seconds=60, progress=0.1)
    assert task_state(database, held) is TaskState.RUNNING


def test_what_a_vanished_worker_left_is_taken_by_one_without_a_free_slot(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=3))
    taken(database, Pool.TRANSCODER)
    lost = taken(database, Pool.TRANSCODER, lease_seconds=-1)
    assert take(database, Pool.TRANSCODER, host="beta", lost_only=True) is None

    Rescuer(database, lease_seconds=60).rescue()
    assert not has_ready(database, Pool.TRANSCODER, lost_only=True), "its time has not come"
    promote(database)

    assert has_ready(database, Pool.TRANSCODER, lost_only=True)
    assert taken(database, Pool.TRANSCODER, host="beta", lost_only=True).id == lost.id
    assert take(database, Pool.TRANSCODER, host="beta", lost_only=True) is None, "the third was never lost"


def test_what_was_lost_twice_waits_for_a_free_slot(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan())
    for _ in range(2):
        lost = taken(database, Pool.TRANSCODER, lease_seconds=-1)
        Rescuer(database, lease_seconds=0.0).rescue()
        promote(database)

    assert take(database, Pool.TRANSCODER, host="beta", lost_only=True) is None
    assert taken(database, Pool.TRANSCODER, host="beta").id == lost.id


def test_what_was_given_back_after_a_loss_waits_for_a_free_slot(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan())
    taken(database, Pool.TRANSCODER, lease_seconds=-1)
    Rescuer(database, lease_seconds=60).rescue()
    promote(database)
    release(database, taken(database, Pool.TRANSCODER, lost_only=True))

    assert take(database, Pool.TRANSCODER, host="beta", lost_only=True) is None
    assert take(database, Pool.TRANSCODER, host="beta") is not None


def test_rescuers_that_race_rescue_each_task_once(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=20))
    lost = [taken(database, Pool.TRANSCODER, lease_seconds=-1) for _ in range(4)]
    together = threading.Barrier(4)

    def rescue() -> int:
        together.wait()
        return Rescuer(database, lease_seconds=60).rescue()

    with ThreadPoolExecutor(4) as threads:
        rescued = sum(threads.map(lambda _: rescue(), range(4)))
    assert rescued == 4
    assert [task_row(database, held.id).losses for held in lost] == [1] * 4


def test_a_task_that_takes_its_worker_down_every_time_is_set_aside(database: Database, account: int) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1))
    for _ in range(MAX_LOSSES):
        poison = taken(database, Pool.TRANSCODER, lease_seconds=-1)
        assert Rescuer(database, lease_seconds=0.0).rescue() == 1
        promote(database)

    view = job_by_key(database, account, key)
    assert task_state(database, poison) is TaskState.QUARANTINED
    assert view.state is JobState.FAILED
    assert view.error is not None
    assert view.error.code == "quarantined"
    assert outcomes(database, poison) == ["lost"] * MAX_LOSSES
    assert take(database, Pool.TRANSCODER) is None


def test_when_most_leases_are_expired_at_once_living_workers_may_renew_first(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=8))
    held = [taken(database, Pool.TRANSCODER, lease_seconds=-1) for _ in range(6)]
    rescuer = TurnedRescuer(database, lease_seconds=60)

    assert [rescuer.rescue(), rescuer.after(15), rescuer.after(15)] == [0, 0, 0]
    for one in held[:2]:
        beat(database, one, lease_seconds=60, progress=0.5)
    assert [rescuer.after(15), rescuer.after(16)] == [0, 4]

    assert [task_state(database, one) for one in held[:2]] == [TaskState.RUNNING] * 2
    assert {task_state(database, one) for one in held[2:]} == {TaskState.DELAYED}


def test_after_a_step_of_the_databases_clock_a_whole_lease_is_waited(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=8))
    rescuer = TurnedRescuer(database, lease_seconds=60)
    rescuer.rescue()
    taken(database, Pool.TRANSCODER, lease_seconds=-1)
    for _ in range(3):
        taken(database, Pool.TRANSCODER)

    rescuer.ahead = 3600.0
    assert [rescuer.after(15) for _ in range(5)] == [0, 0, 0, 0, 1]


def test_after_silence_of_the_database_a_whole_lease_is_waited(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=8))
    rescuer = TurnedRescuer(database, lease_seconds=60)
    rescuer.rescue()
    taken(database, Pool.TRANSCODER, lease_seconds=-1)
    taken(database, Pool.TRANSCODER)

    assert rescuer.after(300) == 0
    assert [rescuer.after(15) for _ in range(4)] == [0, 0, 0, 1]


def test_a_low_job_that_waited_long_moves_up_a_class(database: Database, account: int) -> None:
    low = a_job(database, account, priority=Priority.LOW)
    database.transact(lambda connection: connection.execute(update(task).values(run_at=now_plus(-4000))))
    a_job(database, account, priority=Priority.NORMAL)

    assert promote_aged(database) == 1

    row = task_row(database, taken(database, Pool.COURIER).id)
    assert (row.job_key, row.band) == (low, Priority.NORMAL.band)
    assert promote_aged(database) == 0


def test_a_waiting_task_that_was_forgotten_is_found(database: Database, account: int) -> None:
    key = a_job(database, account)
    database.transact(
        lambda connection: connection.execute(
            update(task).where(task.c.plan_key == "fetch").values(state=TaskState.DONE, published_attempt=1)
        )
    )
    assert promote_aged(database) == 0
    database.transact(lambda connection: connection.execute(update(task).values(run_at=now_plus(-4000))))

    assert promote_aged(database) == 1

    assert task_states(database, key)["probe"] is TaskState.READY
    assert task_states(database, key)["plan"] is TaskState.WAITING
    assert job_state(database, key) is JobState.QUEUED
