"""Promise 6: errors have classes. And promise 7: stopping is free."""

import random
from collections.abc import Callable
from statistics import mean

import pytest
from tests.contract.looking import job_state, outcomes, snapshot, task_row, task_state, task_states

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import LeaseLost, SourceError, ToolError, Unavailable
from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.task import Pool, Task, TaskState
from omkt_pipeline.queue.giveback import MAX_FAILURES, backoff_seconds, fail, release
from omkt_pipeline.queue.overview import job_by_key
from omkt_pipeline.queue.rescue import promote
from omkt_pipeline.queue.workers import GONE, sign
from omkt_pipeline.testing import a_claimant, a_job, a_plan, a_planned_job, take, taken


def fail_now(database: Database, held: Task, host: str = "alpha") -> None:
    """A transient failure whose backoff is over at once."""
    fail(database, held, Unavailable("The disk sulks."), host=host, backoff_base=0.0)


def test_a_transient_failure_is_tried_again_after_a_while(database: Database, account: int) -> None:
    a_job(database, account)
    held = taken(database, Pool.COURIER)

    fail(database, held, Unavailable("no answer"), host="alpha", backoff_base=900)
    row = task_row(database, held.id)

    assert (row.state, row.failures, row.reason) == (TaskState.DELAYED, 1, "unavailable")
    assert row.lease_token is None
    assert take(database, Pool.COURIER) is None
    assert outcomes(database, held) == ["failed"]


def test_a_transient_failure_comes_back_when_its_time_has_come(database: Database, account: int) -> None:
    a_job(database, account)
    fail_now(database, taken(database, Pool.COURIER))

    assert promote(database) == 1
    assert taken(database, Pool.COURIER).attempt == 2


def test_a_task_is_given_up_after_its_last_try(database: Database, account: int) -> None:
    key = a_job(database, account)
    for number in range(1, MAX_FAILURES + 1):
        assert job_state(database, key) in (JobState.QUEUED, JobState.RUNNING)
        held = taken(database, Pool.COURIER)
        assert held.attempt == number
        fail_now(database, held)
        promote(database)

    view = job_by_key(database, account, key)
    assert view.state is JobState.FAILED
    assert view.error is not None
    assert (view.error.code, view.error.message) == ("unavailable", "The disk sulks.")
    assert take(database, Pool.COURIER) is None
    assert outcomes(database, held) == ["failed"] * MAX_FAILURES


def test_a_permanent_failure_fails_the_job_at_once_with_its_reason(database: Database, account: int) -> None:
    key = a_job(database, account, path="film.mov")

    fail(database, taken(database, Pool.METADATA), SourceError("No picture, no sound."), host="alpha")

    view = job_by_key(database, account, key)
    assert view.error is not None
    assert (view.state, view.error.code) == (JobState.FAILED, "source_unreadable")
    assert task_states(database, key) == {"probe": TaskState.FAILED, "plan": TaskState.CANCELLED}


def test_a_failed_task_stops_its_siblings(database: Database, account: int) -> None:
    key = a_planned_job(database, account, a_plan(encodes=3))
    broken, running = taken(database, Pool.TRANSCODER), taken(database, Pool.TRANSCODER)

    fail(database, broken, SourceError(), host="alpha")

    states = task_states(database, key)
    assert [states["part0"], states["part1"], states["part2"]] == [
        TaskState.FAILED,
        TaskState.RUNNING,
        TaskState.CANCELLED,
    ]
    assert task_row(database, running.id).cancel_requested


@pytest.mark.parametrize("earlier", range(12))
def test_the_backoff_is_random_below_a_bound_that_doubles(earlier: int) -> None:
    random.seed(earlier)
    bound = min(900.0, 10.0 * 2**earlier)
    waits = [backoff_seconds(earlier) for _ in range(400)]

    assert all(0 <= wait <= bound for wait in waits)
    assert 0.4 * bound < mean(waits) < 0.6 * bound


def test_a_failed_task_is_left_to_other_hosts_where_there_are_some(database: Database, account: int) -> None:
    a_claimant(database, Pool.COURIER, host="alpha")
    a_claimant(database, Pool.COURIER, host="beta")
    a_job(database, account)
    fail_now(database, taken(database, Pool.COURIER, host="alpha"))
    promote(database)

    assert take(database, Pool.COURIER, host="alpha") is None
    assert taken(database, Pool.COURIER, host="beta").attempt == 2


def test_other_tasks_are_not_held_up_by_one_that_avoids_this_host(database: Database, account: int) -> None:
    a_claimant(database, Pool.COURIER, host="beta")
    a_job(database, account)
    fail_now(database, taken(database, Pool.COURIER, host="alpha"))
    promote(database)
    second = a_job(database, account)

    assert taken(database, Pool.COURIER, host="alpha").job_key == second


def test_without_another_host_the_same_one_tries_again(database: Database, account: int) -> None:
    a_claimant(database, Pool.COURIER, host="alpha")
    gone = a_claimant(database, Pool.COURIER, host="beta")
    sign(database, gone.worker_id, state=GONE)
    a_claimant(database, Pool.METADATA, host="gamma")
    a_job(database, account)
    fail_now(database, taken(database, Pool.COURIER, host="alpha"))
    promote(database)

    assert taken(database, Pool.COURIER, host="alpha").attempt == 2


def test_when_nobody_else_takes_it_the_avoided_host_may(
    database: Database, account: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_claimant(database, Pool.COURIER, host="beta")
    a_job(database, account)
    fail_now(database, taken(database, Pool.COURIER, host="alpha"))
    promote(database)

    monkeypatch.setattr("omkt_pipeline.queue.claim.AVOID_SECONDS", -1.0)

    assert taken(database, Pool.COURIER, host="alpha").attempt == 2


def test_releasing_costs_nothing(database: Database, account: int) -> None:
    a_job(database, account)
    held = taken(database, Pool.COURIER)

    release(database, held)

    row = task_row(database, held.id)
    assert (row.state, row.failures, row.losses, row.progress) == (TaskState.READY, 0, 0, 0.0)
    assert outcomes(database, held) == ["released"]
    assert taken(database, Pool.COURIER).attempt == 2


@pytest.mark.parametrize("end", [release, fail_now])
def test_repeating_an_end_that_was_recorded_is_no_error(
    database: Database, account: int, end: Callable[[Database, Task], None]
) -> None:
    """Its answer may have been lost."""
    a_job(database, account)
    held = taken(database, Pool.COURIER)
    end(database, held)
    before = snapshot(database)

    end(database, held)

    assert snapshot(database) == before


def test_another_end_than_the_recorded_one_is_refused(database: Database, account: int) -> None:
    a_job(database, account)
    held = taken(database, Pool.COURIER)
    release(database, held)

    with pytest.raises(LeaseLost):
        fail(database, held, ToolError(), host="alpha")
    assert task_state(database, held) is TaskState.READY
