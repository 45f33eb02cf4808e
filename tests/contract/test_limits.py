"""An account's limit of tasks at a time: it holds on the whole farm, whoever claims, and holds nobody else up."""

import threading
from concurrent.futures import ThreadPoolExecutor

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.task import Pool, TaskState
from omkt_pipeline.queue.claim import has_ready, ready_count
from omkt_pipeline.queue.overview import queue_depth
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.queue.tenants import change_tenant
from omkt_pipeline.testing import a_plan, a_planned_job, a_settlement, an_account, take, taken


def limit(database: Database, most: int | None, name: str = "acme") -> None:
    change_tenant(database, name, {"max_running": most})


def test_beyond_its_limit_an_account_waits_and_others_do_not(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=3))
    limit(database, 1)
    held = taken(database, Pool.TRANSCODER)

    assert take(database, Pool.TRANSCODER) is None
    assert not has_ready(database, Pool.TRANSCODER)
    assert ready_count(database, Pool.TRANSCODER, at_most=9) == 0

    a_planned_job(database, other := an_account(database, "other"), a_plan(encodes=1))
    assert taken(database, Pool.TRANSCODER).account_id == other
    settle(database, held, a_settlement(held))
    assert taken(database, Pool.TRANSCODER).account_id == account


def test_work_of_every_kind_counts(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=1))
    taken(database, Pool.TRANSCODER)
    limit(database, 2)
    a_planned_job(database, account, a_plan(encodes=2))

    taken(database, Pool.TRANSCODER)
    assert take(database, Pool.TRANSCODER) is None


def test_an_account_with_the_limit_0_waits_until_it_may(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=1))
    limit(database, 0)
    assert take(database, Pool.TRANSCODER) is None
    limit(database, None)
    assert take(database, Pool.TRANSCODER) is not None


def test_racing_workers_do_not_go_beyond_it(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=40))
    limit(database, 3)
    start = threading.Barrier(8)

    def work(number: int) -> int:
        start.wait()
        return sum(take(database, Pool.TRANSCODER, worker_id=number) is not None for _ in range(5))

    with ThreadPoolExecutor(8) as pool:
        got = sum(pool.map(work, range(8)))

    assert got == 3
    assert queue_depth(database)[Pool.TRANSCODER, TaskState.RUNNING] == 3


def test_a_lowered_limit_stops_nothing_that_runs(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=2))
    held = [taken(database, Pool.TRANSCODER) for _ in range(2)]
    limit(database, 1)
    for one in held:
        settle(database, one, a_settlement(one))
    assert take(database, Pool.TRANSCODER) is not None
