"""Workers are killed at random while they work; each task is found done exactly once, and every promise holds."""

import random
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.faults.gang import Gang, open_jobs, open_tasks, until_quiet
from tests.servers.databases import ENGINES, clean_database

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import output, task, task_attempt
from omkt_pipeline.domain.task import AttemptOutcome, TaskState
from omkt_pipeline.queue.audit import audit
from omkt_pipeline.queue.overview import published_output
from omkt_pipeline.testing import a_plan, a_planned_job, an_account

LEASE_SECONDS = 2.0


class Killer:
    """Kills by what is done, not by the clock: as often on a slow machine as on a fast one."""

    TASKS_PER_KILL = 40

    def __init__(self, database: Database, gang: Gang, chance: random.Random) -> None:
        self.database, self.gang, self.chance = database, gang, chance
        self.kills = 0
        self.next_at = open_tasks(database) - self.TASKS_PER_KILL

    def look(self) -> None:
        """Kill one if enough was done since the last."""
        left = open_tasks(self.database)
        if left <= self.next_at:
            self.gang.kill_one(self.chance)
            self.kills += 1
            self.next_at = left - self.TASKS_PER_KILL


@pytest.mark.parametrize("engine", ENGINES)
def test_tasks_whose_workers_are_killed_are_each_done_once(engine: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    jobs, size = (20, 4) if engine == "sqlite" else (100, 20)
    with clean_database(engine, tmp_path) as database:
        account = an_account(database)
        keys = [a_planned_job(database, account, a_plan(encodes=19), callback=None) for _ in range(jobs)]
        with Gang(database, tmp_path, size=size, lease_seconds=LEASE_SECONDS) as gang:
            killer = Killer(database, gang, chance)
            until_quiet(database, killer.look, every=0.1, at_most=240)
            files = {key: published(database, gang.share.root, key) for key in keys}

        assert killer.kills >= jobs * 20 // Killer.TASKS_PER_KILL // 2
        assert open_jobs(database) == 0
        assert audit(database, gang.share.root, deep=True) == []
        assert done_once(database) == jobs * 22  # with probe and plan
        assert set(files.values()) <= winners(database)


def published(database: Database, root: Path, key: str) -> str:
    """The token that stands in the visible file of a job."""
    shown = published_output(database, key, "film")
    content = (root / shown.folder / shown.entry).read_text()
    assert content == content[:32] * 100
    return content[:32]


def done_once(database: Database) -> int:
    """Number of tasks with exactly one attempt that ended well."""
    ended_well = (
        select(task_attempt.c.task_id)
        .where(task_attempt.c.outcome == AttemptOutcome.OK)
        .group_by(task_attempt.c.task_id)
        .having(func.count() == 1)
        .subquery()
    )
    question = (select(func.count()).select_from(ended_well).join(task, task.c.id == ended_well.c.task_id)).where(
        task.c.state == TaskState.DONE
    )
    return database.fetch(lambda connection: connection.execute(question).scalar_one())


def winners(database: Database) -> set[str]:
    """Tokens of the attempts that made the published outputs."""
    question = (
        select(task_attempt.c.token)
        .join(task, task.c.id == task_attempt.c.task_id)
        .join(output, output.c.task_id == task.c.id)
        .where(task_attempt.c.attempt == task.c.published_attempt)
    )
    return {token.hex() for token in database.fetch(lambda connection: connection.execute(question).scalars().all())}
