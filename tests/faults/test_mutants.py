"""Sabotage that the suite must notice: each mutant breaks one guard, and the audit or a plain count must see it."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import ColumnElement, and_
from tests.contract.looking import outcomes, task_row

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import task
from omkt_pipeline.domain.errors import LeaseLost, Unavailable
from omkt_pipeline.domain.task import Pool, Task, TaskState
from omkt_pipeline.queue import guard, settle
from omkt_pipeline.queue.audit import audit_rows
from omkt_pipeline.queue.rescue import Rescuer, promote
from omkt_pipeline.testing import a_plan, a_planned_job, a_settlement, an_account, taken


def without(*names: str) -> Callable[[Task], ColumnElement[bool]]:
    """The guard of a worker's writes, with some of its conditions left out."""

    def leased(held: Task) -> ColumnElement[bool]:
        conditions = {
            "state": task.c.state == TaskState.RUNNING,
            "attempt": task.c.attempt == held.attempt,
            "token": task.c.lease_token == held.token,
        }
        return and_(task.c.id == held.id, *(one for name, one in conditions.items() if name not in names))

    return leased


def a_zombie_and_its_successor(database: Database, account: int) -> tuple[Task, Task]:
    a_planned_job(database, account, a_plan(encodes=1))
    zombie = taken(database, Pool.TRANSCODER, lease_seconds=-1)
    Rescuer(database, lease_seconds=60).rescue()
    promote(database)
    return zombie, taken(database, Pool.TRANSCODER)


def test_without_attempt_and_token_a_zombie_settles_and_the_audit_sees_it(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    zombie, successor = a_zombie_and_its_successor(sqlite, an_account(sqlite))
    monkeypatch.setattr(settle, "leased", without("attempt", "token"))

    settle.settle(sqlite, zombie, a_settlement(zombie))

    codes = {fault.code for fault in audit_rows(sqlite)}
    assert "attempt_left_open" in codes
    assert outcomes(sqlite, successor) == ["ok", None]


@pytest.mark.parametrize("left_out", ["attempt", "token"])
def test_attempt_and_token_each_hold_a_zombie_off_alone(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch, left_out: str
) -> None:
    zombie, _ = a_zombie_and_its_successor(sqlite, an_account(sqlite))
    for module in (settle, guard):
        monkeypatch.setattr(module, "leased", without(left_out))

    with pytest.raises(LeaseLost):
        settle.settle(sqlite, zombie, a_settlement(zombie))


def test_a_row_count_that_is_not_looked_at_is_noticed(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a driver that counts changed rows instead of found ones, the answer to the guard is thrown away."""
    zombie, successor = a_zombie_and_its_successor(sqlite, an_account(sqlite))
    monkeypatch.setattr(settle, "settled_before", lambda *_: True)

    settle.settle(sqlite, zombie, a_settlement(zombie))

    # Nothing was written, and yet nobody objected: that is what the contract suite expects LeaseLost for.
    assert task_row(sqlite, successor.id).state == TaskState.RUNNING


def test_a_retry_without_rollback_is_noticed(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a transaction that stays behind: a settled task whose children were never freed."""
    a_planned_job(sqlite, an_account(sqlite), a_plan(encodes=1))
    held = taken(sqlite, Pool.TRANSCODER)

    def once_without_rollback(engine: Any, work: Callable[[Any], Any]) -> Any:
        connection = engine.connect()
        try:
            return work(connection)
        finally:
            connection.commit()
            connection.close()

    def interrupted(*_: object) -> None:
        raise Unavailable("in the middle", code="database_contention")

    monkeypatch.setattr(sqlite, "_once", once_without_rollback)
    monkeypatch.setattr(settle, "release_dependents", interrupted)
    with contextlib.suppress(Unavailable):
        settle.settle(sqlite, held, a_settlement(held))

    assert "waits_for_nothing" in {fault.code for fault in audit_rows(sqlite)}
