"""Promise 1: claimed once, in order of priority, then fair among accounts, then age."""

import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import update
from tests.contract.looking import job_state, outcomes, task_row, task_state

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import task
from omkt_pipeline.db.types import now_plus
from omkt_pipeline.domain.job import JobState, Priority
from omkt_pipeline.domain.task import SPEC_VERSION, Pool, Task, TaskKind, TaskState
from omkt_pipeline.queue.claim import claim, has_ready, ready_count
from omkt_pipeline.queue.giveback import release
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.testing import a_claimant, a_job, a_plan, a_planned_job, a_settlement, an_account, take, taken


def test_a_ready_task_is_claimed_once(database: Database, account: int) -> None:
    a_job(database, account)

    assert take(database, Pool.COURIER) is not None
    assert take(database, Pool.COURIER) is None


def test_a_claim_takes_only_tasks_of_its_pool(database: Database, account: int) -> None:
    a_job(database, account)

    assert take(database, Pool.METADATA) is None
    assert taken(database, Pool.COURIER).kind is TaskKind.FETCH


def test_a_task_that_speaks_a_later_language_is_left_to_later_workers(database: Database, account: int) -> None:
    """While a farm is upgraded host by host; see docs/operations.md."""
    a_job(database, account)
    later = update(task).values(spec_version=SPEC_VERSION + 1)
    database.transact(lambda connection: connection.execute(later) and None)
    understood = a_job(database, account)

    assert taken(database, Pool.COURIER).job_key == understood
    assert take(database, Pool.COURIER) is None
    assert not has_ready(database, Pool.COURIER)
    assert ready_count(database, Pool.COURIER, at_most=9) == 0


def test_a_worker_far_from_the_disk_leaves_new_tasks_to_others_for_a_while(database: Database, account: int) -> None:
    a_job(database, account)

    assert not has_ready(database, Pool.COURIER, patience_seconds=3.0)
    assert take(database, Pool.COURIER, patience_seconds=3.0) is None
    database.transact(lambda connection: connection.execute(update(task).values(run_at=now_plus(-4.0))) and None)
    assert has_ready(database, Pool.COURIER, patience_seconds=3.0)
    assert take(database, Pool.COURIER, patience_seconds=3.0) is not None


def test_racing_workers_share_the_tasks_without_a_double(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=60))
    together = threading.Barrier(8)

    def work() -> list[Task]:
        together.wait()
        mine = []
        while task := take(database, Pool.TRANSCODER):
            mine.append(task)
        return mine

    with ThreadPoolExecutor(8) as threads:
        claimed = [task for share in threads.map(lambda _: work(), range(8)) for task in share]
    assert Counter(task.id for task in claimed) == Counter({task.id: 1 for task in claimed})
    assert len(claimed) == 60
    assert {task.attempt for task in claimed} == {1}


def test_a_claim_writes_lease_worker_and_attempt(database: Database, account: int) -> None:
    a_job(database, account)
    claimant = a_claimant(database, Pool.COURIER)
    token = os.urandom(16)

    held = claim(database, claimant, token)

    assert held is not None
    row = task_row(database, held.id)
    assert (row.state, row.attempt, row.lease_token) == (TaskState.RUNNING, 1, token)
    assert row.worker_id == claimant.worker_id
    assert row.lease_until > row.created_at
    assert outcomes(database, held) == [None]


def test_every_claim_of_a_task_has_a_higher_attempt(database: Database, account: int) -> None:
    a_job(database, account)
    attempts = []
    for _ in range(3):
        held = taken(database, Pool.COURIER)
        attempts.append(held.attempt)
        release(database, held)

    assert attempts == [1, 2, 3]


def test_the_first_claim_starts_the_job(database: Database, account: int) -> None:
    key = a_job(database, account)
    assert job_state(database, key) is JobState.QUEUED

    take(database, Pool.COURIER)

    assert job_state(database, key) is JobState.RUNNING


def test_a_poll_sees_what_a_claim_would_find(database: Database, account: int) -> None:
    assert not has_ready(database, Pool.COURIER)
    for _ in range(3):
        a_job(database, account)

    assert has_ready(database, Pool.COURIER)
    assert not has_ready(database, Pool.METADATA)
    assert ready_count(database, Pool.COURIER, at_most=2) == 2
    assert ready_count(database, Pool.COURIER, at_most=9) == 3
    assert ready_count(database, Pool.COURIER, at_most=9, min_cost=1e6) == 0


def test_a_more_urgent_job_is_served_first(database: Database, account: int) -> None:
    keys = {priority: a_job(database, account, priority=priority) for priority in reversed(Priority)}

    served = [taken(database, Pool.COURIER).job_key for _ in Priority]

    assert served == [keys[Priority.HIGH], keys[Priority.NORMAL], keys[Priority.LOW]]


def test_among_equals_the_older_is_served_first(database: Database, account: int) -> None:
    keys = [a_job(database, account) for _ in range(5)]

    assert [taken(database, Pool.COURIER).job_key for _ in keys] == keys


def test_accounts_are_served_by_weight_within_a_tenth(database: Database) -> None:
    accounts = {an_account(database, "one", weight=1): 1, an_account(database, "three", weight=3): 3}
    for account in accounts:
        a_planned_job(database, account, a_plan(encodes=220, cost=7.0))

    served = Counter(taken(database, Pool.TRANSCODER).account_id for _ in range(200))

    for account, weight in accounts.items():
        assert abs(served[account] - 200 * weight / 4) <= 20


def test_an_account_that_comes_late_neither_starves_nor_catches_up(database: Database) -> None:
    early, late = an_account(database, "early"), an_account(database, "late")
    a_planned_job(database, early, a_plan(encodes=60))
    for _ in range(20):
        take(database, Pool.TRANSCODER)

    a_planned_job(database, late, a_plan(encodes=30))
    served = Counter(taken(database, Pool.TRANSCODER).account_id for _ in range(20))

    assert abs(served[late] - 10) <= 2


def test_dear_work_uses_up_more_of_an_accounts_share(database: Database) -> None:
    dear, cheap = an_account(database, "dear"), an_account(database, "cheap")
    a_planned_job(database, dear, a_plan(encodes=60, cost=4.0))
    a_planned_job(database, cheap, a_plan(encodes=60, cost=1.0))

    served = Counter(taken(database, Pool.TRANSCODER).account_id for _ in range(50))

    assert abs(served[dear] - 10) <= 3


def test_a_settled_task_is_never_claimed_again(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=1))
    for _ in range(2):
        held = taken(database, Pool.TRANSCODER)
        settle(database, held, a_settlement(held))

    assert take(database, Pool.TRANSCODER) is None
    assert task_state(database, held) is TaskState.DONE
