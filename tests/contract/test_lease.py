"""Promises 2 and 3: leased by the database's clock, and fenced against whoever lost the lease."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, select
from tests.contract.looking import outcomes, snapshot, task_row, task_state
from tests.servers.databases import clean_database

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import task
from omkt_pipeline.domain.errors import LeaseLost, ShareUnusable, ToolError, Unavailable
from omkt_pipeline.domain.task import Pool, Task, TaskState
from omkt_pipeline.queue.beat import beat
from omkt_pipeline.queue.giveback import acknowledge_cancel, fail, release
from omkt_pipeline.queue.rescue import Rescuer, promote
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.testing import a_job, a_plan, a_planned_job, a_settlement, an_account, taken
from omkt_pipeline.worker.attempt import Attempt, StopReason
from omkt_pipeline.worker.heart import Attempts, Heart

WRITES: dict[str, Callable[[Database, Task], object]] = {
    "beat": lambda database, held: beat(database, held, lease_seconds=60, progress=0.9),
    "settle": lambda database, held: settle(database, held, a_settlement(held)),
    "fail at last": lambda database, held: fail(database, held, ToolError("no", code="x"), host="alpha"),
    "fail for now": lambda database, held: fail(database, held, Unavailable("no"), host="alpha"),
    "release": release,
    "acknowledge cancel": acknowledge_cancel,
}


def test_a_beat_renews_the_lease_and_carries_progress(database: Database, account: int) -> None:
    a_job(database, account)
    held = taken(database, Pool.COURIER, lease_seconds=5)
    before = task_row(database, held.id).lease_until

    orders = beat(database, held, lease_seconds=60, progress=0.25)

    row = task_row(database, held.id)
    assert (row.lease_until - before).total_seconds() > 50
    assert row.progress == pytest.approx(0.25)
    assert not orders.cancel


def test_a_beat_that_changes_nothing_is_still_a_beat(database: Database, account: int) -> None:
    a_job(database, account)
    held = taken(database, Pool.COURIER)

    for _ in range(20):
        beat(database, held, lease_seconds=60, progress=0.5)


def test_a_host_that_vanishes_in_a_beat_keeps_its_task_from_nobody(server_name: str, tmp_path: Path) -> None:
    with clean_database(server_name, tmp_path) as database, create_engine(database.url).connect() as another:
        a_job(database, an_account(database))
        held = taken(database, Pool.COURIER)
        looked = []

        def look(*_: object) -> None:
            with another.begin():
                locking = select(task.c.id).where(task.c.id == held.id).with_for_update(nowait=True)
                looked.append(another.execute(locking).scalar_one())

        engines = (database.engine, database.reading_engine)
        for engine in engines:
            event.listen(engine, "after_cursor_execute", look)
        try:
            beat(database, held, lease_seconds=60, progress=0.5)
        finally:
            for engine in engines:
                event.remove(engine, "after_cursor_execute", look)

    assert looked == [held.id] * 2


def test_a_late_beat_before_the_rescue_saves_the_task(database: Database, account: int) -> None:
    a_job(database, account)
    held = taken(database, Pool.COURIER, lease_seconds=-1)

    beat(database, held, lease_seconds=60, progress=0.5)

    assert Rescuer(database, lease_seconds=60).rescue() == 0
    settle(database, held, a_settlement(held))
    assert outcomes(database, held) == ["ok"]


def test_a_beat_after_the_rescue_is_refused(database: Database, account: int) -> None:
    a_job(database, account)
    held = taken(database, Pool.COURIER, lease_seconds=-1)
    assert Rescuer(database, lease_seconds=60).rescue() == 1

    with pytest.raises(LeaseLost):
        beat(database, held, lease_seconds=60, progress=0.5)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_who_lost_the_lease_changes_nothing_while_another_works(
    database: Database, account: int, write: Callable[[Database, Task], object]
) -> None:
    a_planned_job(database, account, a_plan(encodes=1))
    zombie = taken(database, Pool.TRANSCODER, lease_seconds=-1)
    Rescuer(database, lease_seconds=60).rescue()
    promote(database)
    second = taken(database, Pool.TRANSCODER, host="beta")
    assert second.id == zombie.id
    before = snapshot(database)

    with pytest.raises(LeaseLost):
        write(database, zombie)

    assert snapshot(database) == before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_who_lost_the_lease_changes_nothing_after_another_settled(
    database: Database, account: int, write: Callable[[Database, Task], object]
) -> None:
    a_planned_job(database, account, a_plan(encodes=1))
    zombie = taken(database, Pool.TRANSCODER, lease_seconds=-1)
    Rescuer(database, lease_seconds=60).rescue()
    promote(database)
    second = taken(database, Pool.TRANSCODER, host="beta")
    settle(database, second, a_settlement(second))
    before = snapshot(database)

    with pytest.raises(LeaseLost):
        write(database, zombie)

    assert snapshot(database) == before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_the_token_alone_is_a_fence_too(
    database: Database, account: int, write: Callable[[Database, Task], object]
) -> None:
    a_planned_job(database, account, a_plan(encodes=1))
    held = taken(database, Pool.TRANSCODER)
    before = snapshot(database)

    with pytest.raises(LeaseLost):
        write(database, replace(held, token=bytes(16)))

    assert snapshot(database) == before
    assert task_state(database, held) is TaskState.RUNNING


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_the_attempt_alone_is_a_fence_too(
    database: Database, account: int, write: Callable[[Database, Task], object]
) -> None:
    a_planned_job(database, account, a_plan(encodes=1))
    held = taken(database, Pool.TRANSCODER)
    before = snapshot(database)

    with pytest.raises(LeaseLost):
        write(database, replace(held, attempt=held.attempt + 1))

    assert snapshot(database) == before


def a_heart(database: Database, held: Task, touch_share: Callable[[], object], folder: Path) -> tuple[Heart, Attempt]:
    attempts, attempt = Attempts(), Attempt(task=held)
    attempts.add(attempt)
    heart = Heart(
        database,
        attempts,
        lease_seconds=2.0,
        beat_seconds=0.2,
        liveness_file=folder / "alive",
        touch_share=touch_share,
    )
    return heart, attempt


def test_who_has_lost_the_share_alone_lets_go_what_it_cannot_finish(
    database: Database, account: int, tmp_path: Path
) -> None:
    """A call to an NFS server that is cut off does not return; the database is well, and beats would go through for ever."""
    a_job(database, account)
    held = taken(database, Pool.COURIER, lease_seconds=2)
    answers = threading.Event()
    heart, attempt = a_heart(database, held, lambda: answers.wait(60), tmp_path)
    heart.start()
    try:
        assert attempt.stop.wait(30)
        assert attempt.reason is StopReason.LEASE_LOST
    finally:
        answers.set()
        heart.stop()


def test_a_share_that_answers_with_an_error_answers(database: Database, account: int, tmp_path: Path) -> None:
    def touch() -> None:
        raise ShareUnusable("no")

    a_job(database, account)
    held = taken(database, Pool.COURIER, lease_seconds=2)
    heart, attempt = a_heart(database, held, touch, tmp_path)
    heart.start()
    try:
        assert not attempt.stop.wait(5)
    finally:
        heart.stop()
