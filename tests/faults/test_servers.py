"""Fault 12: the database server is killed and started again, again and again, under load."""

import random
import time
from pathlib import Path

from tests.faults.gang import Gang, open_jobs, open_tasks, until_quiet
from tests.servers.databases import clean_database, server

from omkt_pipeline.db.engine import Database
from omkt_pipeline.queue.audit import audit
from omkt_pipeline.testing import a_plan, a_planned_job, an_account

KILLS = 3


def test_a_server_that_is_killed_under_load_loses_and_doubles_nothing(server_name: str, tmp_path: Path) -> None:
    chance = random.Random(12)
    with clean_database(server_name, tmp_path) as database:
        account = an_account(database)
        for _ in range(12):
            a_planned_job(database, account, a_plan(encodes=9), callback=None)
        with Gang(database, tmp_path, size=6, lease_seconds=3.0, slow=0.1) as gang:
            for kill in range(KILLS):
                wait_for_work(database, left=120 - 25 * (kill + chance.random()))
                server(server_name).kill()
                server(server_name).start()
            until_quiet(database, lambda: None, every=0.2, at_most=100)

        assert open_jobs(database) == 0
        assert audit(database, gang.share.root, deep=True) == []


def wait_for_work(database: Database, *, left: float) -> None:
    """Return when no more than so many tasks are open."""
    while open_tasks(database) > left:
        time.sleep(0.1)
