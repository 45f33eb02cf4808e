"""A slow last chunk is begun a second time on a free host; the first result wins, and the other start leaves no trace."""

import pytest
from sqlalchemy import select, update
from tests.contract.looking import job_state, outcomes, snapshot, task_row, task_state

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import task, task_attempt, task_edge
from omkt_pipeline.db.types import now_plus
from omkt_pipeline.domain.errors import LeaseLost, SourceError, Stopped
from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.plan import Plan, PlannedOutput, PlannedTask
from omkt_pipeline.domain.task import AttemptOutcome, Pool, Task, TaskKind, TaskState
from omkt_pipeline.queue.audit import audit_rows
from omkt_pipeline.queue.beat import beat
from omkt_pipeline.queue.giveback import acknowledge_cancel, fail
from omkt_pipeline.queue.inputs import Inputs
from omkt_pipeline.queue.jobs import cancel, retry
from omkt_pipeline.queue.overview import job_by_key
from omkt_pipeline.queue.rescue import Rescuer
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.queue.twins import start_again
from omkt_pipeline.testing import a_claimant, a_planned_job, a_settlement, take, taken

POOL = Pool.TRANSCODER


def chunked(chunks: int = 2) -> Plan:
    parts = tuple(
        PlannedTask(key=f"video.{number:04d}", kind=TaskKind.ENCODE, spec={"chunk": {"number": number}})
        for number in range(chunks)
    )
    package = PlannedTask(
        key="package-film",
        kind=TaskKind.PACKAGE,
        spec={"output": "film"},
        needs=tuple(part.key for part in parts),
        output="film",
    )
    return Plan(
        outputs=(PlannedOutput(key="film", preset="film", preset_version=1, kind="file"),), tasks=(*parts, package)
    )


def made_older(database: Database, held: Task, seconds: float) -> None:
    """As if the attempt had begun so much earlier."""
    mine = (task_attempt.c.task_id == held.id) & (task_attempt.c.attempt == held.attempt)
    statement = update(task_attempt).where(mine).values(started_at=now_plus(-seconds))
    database.transact(lambda connection: connection.execute(statement).rowcount)


class Film:
    """A film in two chunks: one took ten seconds on beta, the other has hardly moved in a hundred on alpha."""

    def __init__(self, database: Database, account: int, *, only_alpha: bool = False) -> None:
        self.database, self.account = database, account
        self.key = a_planned_job(database, account, chunked())
        alpha = a_claimant(database, POOL, host="alpha")
        beta = a_claimant(database, POOL, host="alpha" if only_alpha else "beta")
        self.slow = taken(database, POOL, host="alpha", worker_id=alpha.worker_id)
        quick = taken(database, POOL, host=beta.host, worker_id=beta.worker_id)
        made_older(database, quick, 10)
        settle(database, quick, a_settlement(quick))
        made_older(database, self.slow, 100)
        beat(database, self.slow, lease_seconds=60, progress=0.1)
        self.beta = beta

    def begun_again(self) -> Task:
        """The second start, claimed by the other worker."""
        assert start_again(self.database, POOL) == 1
        return taken(self.database, POOL, host=self.beta.host, worker_id=self.beta.worker_id)

    def packaged(self) -> Task:
        """The package task, which must be ready, settled."""
        package = taken(self.database, POOL, host="beta")
        assert package.kind is TaskKind.PACKAGE
        settle(self.database, package, a_settlement(package))
        return package


@pytest.fixture
def film(database: Database, account: int) -> Film:
    return Film(database, account)


def test_the_second_start_goes_to_another_host(film: Film) -> None:
    assert start_again(film.database, POOL) == 1

    assert take(film.database, POOL, host="alpha") is None
    second = taken(film.database, POOL, host="beta")
    assert (second.id != film.slow.id, second.spec) == (True, film.slow.spec)


def test_without_another_host_the_same_one_may_try(database: Database, account: int) -> None:
    film = Film(database, account, only_alpha=True)

    assert film.begun_again().spec == film.slow.spec


def test_there_is_no_third_start(film: Film) -> None:
    film.begun_again()

    assert start_again(film.database, POOL) == 0


def test_what_is_on_time_is_left_alone(film: Film) -> None:
    beat(film.database, film.slow, lease_seconds=60, progress=0.95)

    assert start_again(film.database, POOL) == 0


def test_nothing_is_begun_again_while_other_work_waits(film: Film) -> None:
    a_planned_job(film.database, film.account, chunked())

    assert start_again(film.database, POOL) == 0


def test_nothing_is_begun_again_without_a_free_slot(film: Film) -> None:
    other = a_planned_job(film.database, film.account, chunked(1))
    taken(film.database, POOL, host="beta", worker_id=film.beta.worker_id)

    assert start_again(film.database, POOL) == 0
    assert job_state(film.database, other) is JobState.RUNNING


def test_the_second_start_wins_and_the_first_changes_no_row(film: Film) -> None:
    database = film.database
    second = film.begun_again()
    settle(database, second, a_settlement(second))
    before = snapshot(database)

    with pytest.raises(Stopped):
        settle(database, film.slow, a_settlement(film.slow))
    assert snapshot(database) == before
    assert beat(database, film.slow, lease_seconds=60, progress=0.5).cancel
    acknowledge_cancel(database, film.slow)
    package = film.packaged()
    assert job_state(database, film.key) is JobState.SUCCEEDED
    assert task_state(database, film.slow) is TaskState.CANCELLED
    inputs = Inputs(database).inputs_of(package)
    assert set(inputs) == {"video.0000", "video.0001"}
    assert inputs["video.0000"].folder == a_settlement(second).folder
    assert audit_rows(database) == []


def test_the_first_start_wins_and_the_second_changes_no_row(film: Film) -> None:
    database = film.database
    second = film.begun_again()
    settle(database, film.slow, a_settlement(film.slow))
    before = snapshot(database)

    with pytest.raises(Stopped):
        settle(database, second, a_settlement(second))
    assert snapshot(database) == before
    assert beat(database, second, lease_seconds=60, progress=0.5).cancel
    acknowledge_cancel(database, second)
    film.packaged()
    assert job_state(database, film.key) is JobState.SUCCEEDED
    assert audit_rows(database) == []


def test_a_second_start_that_nobody_took_is_called_off(film: Film) -> None:
    assert start_again(film.database, POOL) == 1
    settle(film.database, film.slow, a_settlement(film.slow))

    film.packaged()
    assert job_state(film.database, film.key) is JobState.SUCCEEDED
    assert audit_rows(film.database) == []


def test_a_job_is_not_lost_by_one_start_while_the_other_goes_on(film: Film) -> None:
    database = film.database
    second = film.begun_again()
    fail(database, second, SourceError("broken"), host="beta")
    assert job_state(database, film.key) is JobState.RUNNING

    settle(database, film.slow, a_settlement(film.slow))
    film.packaged()
    assert job_state(database, film.key) is JobState.SUCCEEDED


def test_a_job_whose_two_starts_fail_has_failed(film: Film) -> None:
    second = film.begun_again()
    for start, host in ((film.slow, "alpha"), (second, "beta")):
        fail(film.database, start, SourceError("broken"), host=host)

    assert job_state(film.database, film.key) is JobState.FAILED


def test_a_first_start_whose_host_died_does_not_keep_the_second_from_winning(film: Film) -> None:
    database = film.database
    second = film.begun_again()
    statement = update(task).where(task.c.id == film.slow.id).values(lease_until=now_plus(-1))
    database.transact(lambda connection: connection.execute(statement).rowcount)
    database.transact(Rescuer(database, lease_seconds=60)._take_back)
    settle(database, second, a_settlement(second))

    assert task_state(database, film.slow) is TaskState.CANCELLED
    assert outcomes(database, film.slow) == [AttemptOutcome.LOST]
    with pytest.raises(LeaseLost):
        settle(database, film.slow, a_settlement(film.slow))
    film.packaged()
    assert audit_rows(database) == []


def test_a_cancelled_job_calls_both_starts_off_and_trying_again_begins_one(film: Film) -> None:
    database = film.database
    second = film.begun_again()
    cancel(database, film.account, film.key)
    for start in (film.slow, second):
        acknowledge_cancel(database, start)
    retry(database, film.account, film.key)

    again = taken(database, POOL, host="beta")
    assert again.id == film.slow.id
    settle(database, again, a_settlement(again))
    film.packaged()
    assert job_state(database, film.key) is JobState.SUCCEEDED


def test_what_the_other_start_did_is_not_done_again(film: Film) -> None:
    database = film.database
    second = film.begun_again()
    settle(database, second, a_settlement(second))
    acknowledge_cancel(database, film.slow)
    fail(database, taken(database, POOL, host="beta"), SourceError("broken"), host="beta")
    retry(database, film.account, film.key)

    assert task_row(database, film.slow.id).state == TaskState.CANCELLED
    film.packaged()
    assert job_state(database, film.key) is JobState.SUCCEEDED


def test_two_starts_are_one_piece_of_progress(film: Film) -> None:
    before = job_by_key(film.database, film.account, film.key).progress
    second = film.begun_again()
    assert job_by_key(film.database, film.account, film.key).progress == pytest.approx(before)

    beat(film.database, second, lease_seconds=60, progress=0.6)
    assert job_by_key(film.database, film.account, film.key).progress > before


def test_only_the_winner_is_waited_for(film: Film) -> None:
    second = film.begun_again()
    settle(film.database, second, a_settlement(second))
    question = select(task_edge.c.needs_id)
    needed = film.database.fetch(lambda connection: connection.execute(question).scalars().all())

    assert second.id in needed
    assert film.slow.id not in needed
