"""Workers sign; operators order; accounts have keys; the farm has one id."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.servers.databases import clean_database

from omkt_pipeline.db.check import check_settings
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.account import ApiKey
from omkt_pipeline.domain.errors import Conflict, NotFound, Refused, Unavailable
from omkt_pipeline.domain.task import Pool, TaskState
from omkt_pipeline.queue.accounts import accounts, add_key, authenticate, create_account, revoke_key
from omkt_pipeline.queue.farm import found_farm, known_farm
from omkt_pipeline.queue.hosts import order
from omkt_pipeline.queue.overview import queue_depth
from omkt_pipeline.queue.workers import ASIDE, GONE, NEAR, UP, bury, has_near_peer, register, sign, workers
from omkt_pipeline.testing import a_claimant, a_job, taken


def test_a_worker_is_seen_with_what_it_runs(database: Database, account: int) -> None:
    claimant = a_claimant(database, Pool.COURIER)
    a_job(database, account)
    taken(database, Pool.COURIER, worker_id=claimant.worker_id)

    (view,) = workers(database)
    assert (view.host, view.pool, view.state, view.running) == ("alpha", Pool.COURIER, UP, 1)


def test_two_workers_of_one_host_are_two(database: Database) -> None:
    first, second = (a_claimant(database, Pool.TRANSCODER) for _ in range(2))

    assert first.worker_id != second.worker_id
    assert len(workers(database)) == 2


def test_a_worker_beside_the_disk_is_known_to_its_peers(database: Database) -> None:
    register(database, host="beta", pool=Pool.METADATA, version="1", slots=1, facts={NEAR: False})
    assert not has_near_peer(database, Pool.METADATA)

    near = register(database, host="main", pool=Pool.METADATA, version="1", slots=1, facts={NEAR: True})
    assert has_near_peer(database, Pool.METADATA)
    assert not has_near_peer(database, Pool.TRANSCODER)

    sign(database, near, state=GONE)
    assert not has_near_peer(database, Pool.METADATA)


def test_an_order_to_drain_reaches_the_workers_of_that_host(database: Database) -> None:
    ordered, other = (a_claimant(database, Pool.TRANSCODER, host=host) for host in ("alpha", "beta"))

    order(database, "alpha", drain=True)
    assert sign(database, ordered.worker_id, state=UP).drain
    assert not sign(database, other.worker_id, state=UP).drain
    order(database, "alpha", drain=False)
    assert not sign(database, ordered.worker_id, state=UP).drain


def test_a_worker_says_why_it_is_aside(database: Database) -> None:
    claimant = a_claimant(database, Pool.TRANSCODER)
    sign(database, claimant.worker_id, state=ASIDE, note="the share is full" * 40)

    (view,) = workers(database)
    assert view.state == ASIDE
    assert view.note is not None
    assert view.note.startswith("the share is full")


def test_a_silent_worker_is_buried_and_rises_when_it_signs(database: Database) -> None:
    claimant = a_claimant(database, Pool.TRANSCODER)

    assert bury(database, silent_seconds=60) == 0
    assert bury(database, silent_seconds=-1) == 1
    assert workers(database) == []
    assert [view.state for view in workers(database, include_gone=True)] == [GONE]
    sign(database, claimant.worker_id, state=UP)
    assert len(workers(database)) == 1


def test_the_depth_of_the_queue_is_counted_by_pool_and_state(database: Database, account: int) -> None:
    for _ in range(3):
        a_job(database, account)
    taken(database, Pool.COURIER)

    assert queue_depth(database) == {
        (Pool.COURIER, TaskState.READY): 2,
        (Pool.COURIER, TaskState.RUNNING): 1,
        (Pool.METADATA, TaskState.WAITING): 6,
    }


def test_a_key_opens_its_account_and_no_other(database: Database) -> None:
    first, key = create_account(database, "first")
    _, other = create_account(database, "second")

    assert authenticate(database, str(key)) == replace(first, key_id=key.id)
    forged = ApiKey(id=key.id, secret=other.secret)
    with pytest.raises(Refused):
        authenticate(database, str(forged))
    with pytest.raises(Refused):
        authenticate(database, str(key)[:-1])
    assert [one.name for one in accounts(database)] == ["first", "second"]


def test_a_name_is_taken_once(database: Database) -> None:
    create_account(database, "acme")

    with pytest.raises(Conflict):
        create_account(database, "acme")
    create_account(database, "Acme")


def test_a_revoked_key_opens_nothing_and_others_still_do(database: Database) -> None:
    account, key = create_account(database, "acme")
    second = add_key(database, "acme", "laptop")

    revoke_key(database, key.id)

    with pytest.raises(Refused):
        authenticate(database, str(key))
    assert authenticate(database, str(second)) == replace(account, key_id=second.id)
    with pytest.raises(NotFound):
        revoke_key(database, key.id)
    with pytest.raises(NotFound):
        add_key(database, "nobody", "x")


def test_a_farm_is_founded_once(database: Database) -> None:
    with pytest.raises(Unavailable) as unfounded:
        known_farm(database)
    assert unfounded.value.code == "database_not_migrated"
    together = threading.Barrier(5)

    def found() -> str:
        together.wait()
        return found_farm(database).id

    with ThreadPoolExecutor(5) as threads:
        ids = {future.result() for future in [threads.submit(found) for _ in range(5)]}
    assert ids == {known_farm(database).id}


def test_this_database_is_set_as_the_farm_needs_it(database: Database) -> None:
    check_settings(database)


@pytest.mark.parametrize(("afar", "seconds"), [(False, 60), (True, 20)])
def test_a_host_that_vanishes_in_a_transaction_gives_its_locks_up_soon(
    server_name: str, tmp_path: Path, afar: bool, seconds: int
) -> None:
    with clean_database(server_name, tmp_path) as cleaned:
        database = Database(cleaned.url.render_as_string(hide_password=False), afar=afar)
        with database.engine.connect() as connection:
            assert connection.execute(text("SELECT @@SESSION.wait_timeout")).scalar_one() == seconds
        assert database.engine.pool._recycle < seconds
        database.close()
