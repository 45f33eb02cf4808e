"""An account's clock among the others: moved on by what it submits, and in nobody's way."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, select
from tests.contract.looking import count
from tests.servers.fixtures import clean_database

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import fair_share, job, task
from omkt_pipeline.domain.errors import Unavailable
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.jobs import submit
from omkt_pipeline.queue.sources import NewMedia
from omkt_pipeline.testing import a_job, a_request, an_account

PATH = "incoming/film.mov"


def clock(database: Database, account_id: int, pool: Pool = Pool.METADATA) -> float:
    mine = select(fair_share.c.vtime).where(fair_share.c.account_id == account_id, fair_share.c.pool == pool)
    with database.read() as connection:
        return float(connection.execute(mine).scalar() or 0.0)


def test_each_job_moves_the_clock_on_by_what_it_costs(database: Database, account: int) -> None:
    stood = []
    for _ in range(3):
        a_job(database, account, path=PATH)
        stood.append(clock(database, account))

    assert stood == pytest.approx([2.0, 4.0, 6.0])  # a probe and a plan each
    with database.read() as connection:
        keys = connection.execute(select(task.c.fair_key).order_by(task.c.id)).scalars().all()
    assert keys == pytest.approx([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])


def test_what_is_refused_costs_no_turn(database: Database, account: int) -> None:
    a_job(database, account, path=PATH)
    before = clock(database, account)

    def refuse(_connection: Connection, _job_id: int) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        submit(database, account, a_request(), NewMedia(path=PATH), beside=refuse)

    assert (clock(database, account), count(database, job)) == (before, 1)


def test_a_job_is_stored_while_somebody_holds_its_accounts_clock(server_name: str, tmp_path: Path) -> None:
    with clean_database(server_name, tmp_path) as database, create_engine(database.url).connect() as another:
        account = an_account(database)
        a_job(database, account, path=PATH)
        with another.begin():
            another.execute(select(fair_share).with_for_update()).all()
            submitting = threading.Thread(target=a_job, args=(database, account), kwargs={"path": PATH})
            submitting.start()
            until = time.monotonic() + 20
            while count(database, job) < 2 and time.monotonic() < until:
                time.sleep(0.05)
            stored_meanwhile = count(database, job)
        submitting.join(60)

        assert stored_meanwhile == 2
        assert clock(database, account) == pytest.approx(4.0)


def test_a_job_that_is_stored_stands_even_if_the_database_is_away_a_moment_later(
    database: Database, account: int
) -> None:
    class Away(Database):
        def __init__(self) -> None:
            self.__dict__ = database.__dict__

        def repeat(self, work: Callable[[Connection], Any]) -> Any:  # noqa: ARG002
            raise Unavailable("The database does not answer.", code="database_away")

    a_job(Away(), account, path=PATH)

    assert (count(database, job), clock(database, account)) == (1, 0.0)
