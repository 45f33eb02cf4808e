"""A host that is lost while all others are busy: what it held goes on beside what they hold, not after it."""

import time
from pathlib import Path

import pytest
from sqlalchemy import select, update
from tests.faults.gang import Gang
from tests.servers.databases import ENGINES, clean_database

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import task
from omkt_pipeline.db.types import now_plus
from omkt_pipeline.domain.task import Pool, TaskState
from omkt_pipeline.testing import a_plan, a_planned_job, an_account, taken

#: Seconds, longer than any test: who is busy stays busy.
FOR_EVER = 3600.0
#: Of a worker of the gang.
SLOTS = 2
#: The key of a worker that is not there any more.
GONE = 999


def held_by_the_living(database: Database) -> set[int]:
    question = select(task.c.id).where(task.c.state == TaskState.RUNNING, task.c.worker_id != GONE)
    return set(database.fetch(lambda connection: connection.execute(question).scalars().all()))


def until_it_holds(database: Database, number: int) -> set[int]:
    deadline = time.monotonic() + 60
    while len(held := held_by_the_living(database)) < number:
        assert time.monotonic() < deadline, f"it holds {len(held)} tasks"
        time.sleep(0.1)
    return held


@pytest.mark.parametrize("engine", ENGINES)
def test_a_busy_worker_takes_one_task_of_a_vanished_one(engine: str, tmp_path: Path) -> None:
    with clean_database(engine, tmp_path) as database:
        a_planned_job(database, an_account(database), a_plan(encodes=6))
        lost = {taken(database, Pool.TRANSCODER, host="gone", worker_id=GONE).id for _ in range(2)}
        with Gang(database, tmp_path, size=1, lease_seconds=2.0, slow=FOR_EVER):
            until_it_holds(database, SLOTS)
            vanish = update(task).where(task.c.id.in_(lost)).values(lease_until=now_plus(-1))
            database.transact(lambda connection: connection.execute(vanish) and None)

            held = until_it_holds(database, SLOTS + 1)
            time.sleep(5)  # to take more, if it would

            assert len(held & lost) == 1
            assert held_by_the_living(database) == held
