"""Cancelling a job in every state it can be in, and trying it again."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.contract.looking import job_state, outcomes, task_row, task_state, task_states

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import Conflict, NotFound, SourceError, Stopped, Unavailable
from omkt_pipeline.domain.job import JobState, OutputState
from omkt_pipeline.domain.task import Pool, Task, TaskState
from omkt_pipeline.queue.beat import beat
from omkt_pipeline.queue.giveback import acknowledge_cancel, fail, release
from omkt_pipeline.queue.jobs import cancel, retry
from omkt_pipeline.queue.overview import job_by_key
from omkt_pipeline.queue.rescue import Rescuer, promote
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.testing import a_job, a_plan, a_planned_job, a_settlement, an_account, take, taken


def finish(database: Database) -> list[Task]:
    """Claim and settle everything that a transcoder may do."""
    done = []
    while held := take(database, Pool.TRANSCODER):
        settle(database, held, a_settlement(held))
        done.append(held)
    return done


def test_a_queued_job_is_cancelled_at_once(database: Database, account: int) -> None:
    key = a_job(database, account)

    cancel(database, account, key)

    assert job_state(database, key) is JobState.CANCELLED
    assert set(task_states(database, key).values()) == {TaskState.CANCELLED}
    assert take(database, Pool.COURIER) is None


def test_a_running_task_learns_of_it_by_its_beat_and_stops(database: Database, account: int) -> None:
    key = a_job(database, account)
    held = taken(database, Pool.COURIER)

    cancel(database, account, key)

    assert beat(database, held, lease_seconds=60, progress=0.1).cancel
    acknowledge_cancel(database, held)
    assert task_state(database, held) is TaskState.CANCELLED
    assert outcomes(database, held) == ["cancelled"]


def test_what_is_settled_after_the_cancel_is_refused(database: Database, account: int) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1))
    held = taken(database, Pool.TRANSCODER)
    cancel(database, account, key)

    with pytest.raises(Stopped) as stopped:
        settle(database, held, a_settlement(held))

    assert stopped.value.code == "cancelled"
    assert task_state(database, held) is TaskState.RUNNING


def test_a_delayed_task_is_cancelled_too(database: Database, account: int) -> None:
    key = a_job(database, account)
    fail(database, taken(database, Pool.COURIER), Unavailable(), host="alpha")

    cancel(database, account, key)

    assert promote(database) == 0
    assert set(task_states(database, key).values()) == {TaskState.CANCELLED}


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.FAILED])
def test_an_ended_job_cannot_be_cancelled(database: Database, account: int, state: JobState) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1))
    if state is JobState.SUCCEEDED:
        finish(database)
    else:
        fail(database, taken(database, Pool.TRANSCODER), SourceError(), host="alpha")

    with pytest.raises(Conflict) as refused:
        cancel(database, account, key)

    assert refused.value.code == "job_ended"
    assert job_state(database, key) is state


def test_cancelling_twice_is_no_error(database: Database, account: int) -> None:
    key = a_job(database, account)
    cancel(database, account, key)
    cancel(database, account, key)

    assert job_state(database, key) is JobState.CANCELLED


def test_nobody_cancels_or_retries_the_job_of_another_account(database: Database, account: int) -> None:
    key = a_job(database, account)
    stranger = an_account(database, "stranger")

    for verb in (cancel, retry):
        with pytest.raises(NotFound):
            verb(database, stranger, key)
    assert job_state(database, key) is JobState.QUEUED


def test_a_cancel_that_races_with_the_plan_leaves_nothing_to_do(database: Database, account: int) -> None:
    for _ in range(8):
        key = a_job(database, account, path="film.mov")
        probe = taken(database, Pool.METADATA)
        settle(database, probe, a_settlement(probe))
        planning = taken(database, Pool.METADATA)
        together = threading.Barrier(2)

        def settle_plan(planning: Task = planning, together: threading.Barrier = together) -> bool:
            together.wait()
            try:
                settle(database, planning, a_settlement(planning))
            except Stopped:
                acknowledge_cancel(database, planning)
            return True

        def call_off(key: str = key, together: threading.Barrier = together) -> bool:
            together.wait()
            cancel(database, account, key)
            return True

        with ThreadPoolExecutor(2) as threads:
            for done in [threads.submit(settle_plan), threads.submit(call_off)]:
                assert done.result()

        assert job_state(database, key) is JobState.CANCELLED
        assert {state.is_terminal for state in task_states(database, key).values()} == {True}


@pytest.mark.parametrize("ending", ["released", "failed", "lost"])
def test_a_cancelled_task_that_ends_another_way_is_not_given_out_again(
    database: Database, account: int, ending: str
) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1))
    held = taken(database, Pool.TRANSCODER, lease_seconds=-1)
    cancel(database, account, key)

    if ending == "released":
        release(database, held)
    elif ending == "failed":
        fail(database, held, Unavailable(), host="alpha")
    else:
        assert Rescuer(database, lease_seconds=60).rescue() == 1
    promote(database)

    assert task_state(database, held) is TaskState.CANCELLED
    assert take(database, Pool.TRANSCODER) is None
    retry(database, account, key)
    assert len(finish(database)) == 2
    assert job_state(database, key) is JobState.SUCCEEDED


def test_a_retried_job_keeps_what_was_done(database: Database, account: int) -> None:
    key = a_planned_job(database, account, a_plan(encodes=2))
    done, broken = taken(database, Pool.TRANSCODER), taken(database, Pool.TRANSCODER)
    settle(database, done, a_settlement(done))
    fail(database, broken, SourceError(), host="alpha")
    assert job_state(database, key) is JobState.FAILED

    retry(database, account, key)

    again = finish(database)
    assert again[0].id == broken.id
    assert done.id not in {held.id for held in again}
    view = job_by_key(database, account, key)
    assert (view.state, view.error) == (JobState.SUCCEEDED, None)
    assert {one.state for one in view.outputs} == {OutputState.PUBLISHED}


def test_a_retried_job_keeps_the_outputs_that_were_published(database: Database, account: int) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1, outputs=("a", "b")))
    encode = taken(database, Pool.TRANSCODER)
    settle(database, encode, a_settlement(encode))
    first, second = taken(database, Pool.TRANSCODER), taken(database, Pool.TRANSCODER)
    settle(database, first, a_settlement(first))
    fail(database, second, SourceError(), host="alpha")
    states = {one.key: one.state for one in job_by_key(database, account, key).outputs}
    assert states == {"a": OutputState.PUBLISHED, "b": OutputState.FAILED}

    retry(database, account, key)

    assert [held.id for held in finish(database)] == [second.id]
    assert job_state(database, key) is JobState.SUCCEEDED


def test_a_cancelled_job_begins_again_from_where_it_was(database: Database, account: int) -> None:
    key = a_job(database, account)
    cancel(database, account, key)

    retry(database, account, key)

    assert job_state(database, key) is JobState.QUEUED
    assert task_states(database, key) == {
        "fetch": TaskState.READY,
        "probe": TaskState.WAITING,
        "plan": TaskState.WAITING,
    }


def test_a_retry_forgets_old_failures_but_never_an_attempt(database: Database, account: int) -> None:
    key = a_job(database, account)
    held = taken(database, Pool.COURIER)
    fail(database, held, SourceError(), host="alpha")

    retry(database, account, key)

    row = task_row(database, held.id)
    assert (row.failures, row.losses, row.reason) == (0, 0, None)
    assert taken(database, Pool.COURIER).attempt == 2


def test_a_job_whose_worker_is_still_stopping_cannot_be_retried(database: Database, account: int) -> None:
    key = a_job(database, account)
    held = taken(database, Pool.COURIER)
    cancel(database, account, key)

    with pytest.raises(Conflict) as refused:
        retry(database, account, key)
    assert refused.value.code == "job_stopping"

    acknowledge_cancel(database, held)
    retry(database, account, key)
    assert job_state(database, key) is JobState.QUEUED


def test_a_job_that_goes_well_cannot_be_retried(database: Database, account: int) -> None:
    key = a_job(database, account)

    with pytest.raises(Conflict) as refused:
        retry(database, account, key)

    assert refused.value.code == "job_not_failed"
