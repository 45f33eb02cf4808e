"""Faults of the database that its clients see: lost answers (13), and errors at random on every twentieth statement (16)."""

import itertools
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pymysql
import pytest
from tests.faults.gang import open_jobs, open_tasks

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import LeaseLost, SourceError, Unavailable
from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.task import Pool, Task
from omkt_pipeline.queue.accounts import add_key, authenticate, create_account, revoke_key
from omkt_pipeline.queue.audit import audit_rows
from omkt_pipeline.queue.giveback import fail, release
from omkt_pipeline.queue.jobs import cancel, retry
from omkt_pipeline.queue.overview import jobs_page
from omkt_pipeline.queue.rescue import Rescuer, promote
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.testing import a_job, a_plan, a_planned_job, a_settlement, take, taken


def an_error(database: Database, code: int) -> Exception:
    """What the driver raises: of SQLite's errors the only one that trying again can cure."""
    if database.is_sqlite:
        return sqlite3.OperationalError("database is locked")
    return pymysql.err.OperationalError(code, "injected")


@contextmanager
def lost_answers(database: Database, phase: int) -> Iterator[None]:
    """Every third COMMIT succeeds, but its client is told that the connection is lost."""
    dialect = database.engine.dialect
    whole = dialect.do_commit
    commits = itertools.count(phase)

    def commit(connection: Any) -> None:
        whole(connection)
        if next(commits) % 3 == 0:
            raise an_error(database, 2013)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialect, "do_commit", commit)
        yield


@contextmanager
def random_errors(database: Database, chance: random.Random, *, share: float) -> Iterator[None]:
    """A share of all statements fails as servers do under load, before or after they were run."""
    dialect = database.engine.dialect
    whole = dialect.do_execute

    def execute(*arguments: Any) -> None:
        lot = chance.random()
        if lot < share / 2:
            raise an_error(database, chance.choice((1213, 1205, 1020, 2013)))
        whole(*arguments)
        if lot < share:
            raise an_error(database, chance.choice((1213, 1205, 1020, 2013)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialect, "do_execute", execute)
        yield


def insist(work: Callable[[], Any]) -> Any:
    """Call again while the database says that it is away, as every caller of the queue does."""
    while True:
        try:
            return work()
        except Unavailable:
            continue


@pytest.mark.parametrize("phase", range(3))
def test_when_the_answer_to_commit_is_lost_everything_has_happened_once(
    database: Database, account: int, phase: int
) -> None:
    with lost_answers(database, phase):
        key = a_planned_job(database, account, a_plan(encodes=3))
        while held := take(database, Pool.TRANSCODER):
            settle(database, held, a_settlement(held))

    (view,) = jobs_page(database, account, limit=10).jobs
    assert (view.key, view.state) == (key, JobState.SUCCEEDED)
    assert audit_rows(database) == []


@pytest.mark.parametrize("phase", range(3))
def test_every_other_verb_survives_a_lost_answer(database: Database, account: int, phase: int) -> None:
    with lost_answers(database, phase):
        key = a_job(database, account)
        release(database, taken(database, Pool.COURIER))
        fail(database, taken(database, Pool.COURIER), Unavailable(), host="alpha", backoff_base=0.0)
        promote(database)
        taken(database, Pool.COURIER, lease_seconds=-1)
        Rescuer(database, lease_seconds=60).rescue()
        promote(database)
        fail(database, taken(database, Pool.COURIER), SourceError(), host="alpha")
        retry(database, account, key)
        cancel(database, account, key)
        _, first = create_account(database, "other")
        second = add_key(database, "other", "second")
        revoke_key(database, first.id)
        authenticate(database, str(second))

    assert audit_rows(database) == []


def test_a_settlement_that_was_given_up_is_found_settled_later(database: Database, account: int) -> None:
    """The database stays away after the commit, longer than one call is patient; the worker asks again."""
    a_planned_job(database, account, a_plan(encodes=1))
    held = taken(database, Pool.TRANSCODER)
    settle(database, held, a_settlement(held))

    settle(database, held, a_settlement(held))  # not LeaseLost, at which the worker would remove the published files


def test_errors_at_random_lose_nothing_and_double_nothing(database: Database, account: int) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    with random_errors(database, chance, share=0.05):
        for _ in range(6):
            insist(lambda: a_job(database, account, path="film.mov"))
        while open_tasks(database):
            for pool in Pool:
                held = insist(partial(take, database, pool))
                if held is not None:
                    end_somehow(database, held, chance)
            insist(lambda: promote(database))

    assert open_jobs(database) == 0
    assert len(jobs_page(database, account, limit=20).jobs) == 6
    assert audit_rows(database) == []


def end_somehow(database: Database, held: Task, chance: random.Random) -> None:
    if chance.random() < 0.1:
        insist(lambda: release(database, held))
    elif chance.random() < 0.1:
        insist(lambda: fail(database, held, Unavailable(), host="alpha", backoff_base=0.0))
    else:
        insist(lambda: settle(database, held, a_settlement(held)))


def test_who_was_rescued_in_the_meantime_is_told_so_even_after_a_lost_answer(database: Database, account: int) -> None:
    a_job(database, account)
    held = taken(database, Pool.COURIER, lease_seconds=-1)
    Rescuer(database, lease_seconds=60).rescue()

    with lost_answers(database, 0), pytest.raises(LeaseLost):
        settle(database, held, a_settlement(held))
