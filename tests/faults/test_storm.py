"""Fault 15: fifty workers, reapers, cancels and new jobs, all on the same twenty rows."""

import itertools
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from pathlib import Path

from sqlalchemy import event, func, select
from structlog.testing import capture_logs
from tests.faults.gang import open_jobs
from tests.servers.databases import clean_database

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job
from omkt_pipeline.domain.errors import Conflict, LeaseLost, NotFound, SourceError, Stopped, Unavailable
from omkt_pipeline.domain.task import Pool, Task
from omkt_pipeline.queue.audit import audit_rows
from omkt_pipeline.queue.giveback import acknowledge_cancel, fail, release
from omkt_pipeline.queue.jobs import cancel, retry
from omkt_pipeline.queue.rescue import Rescuer, promote
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.testing import a_job, a_plan, a_settlement, an_account, take

WORKERS, JOBS, ROUNDS = 50, 20, 12


def test_whoever_meets_on_the_same_rows_nothing_is_lost_and_hardly_anything_tried_again(
    server_name: str, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    with clean_database(server_name, tmp_path) as database:
        account = an_account(database)
        keys = [a_job(database, account, path="film.mov", callback=None) for _ in range(JOBS)]
        begun = itertools.count()
        event.listen(database.engine, "begin", count := lambda _: next(begun))
        with capture_logs() as logs, ThreadPoolExecutor(WORKERS + 3) as crowd:
            ended = threading.Event()
            others = [
                crowd.submit(again_and_again, ended, work)
                for work in (
                    partial(reap, database),
                    partial(meddle, database, account, keys, random.Random(seed)),
                    partial(meddle, database, account, keys, random.Random(seed + 1)),
                )
            ]
            workers = [
                crowd.submit(labour, database, number, random.Random(seed + number)) for number in range(WORKERS)
            ]
            wait(workers)
            ended.set()
            for one in [*workers, *others]:
                one.result()
        event.remove(database.engine, "begin", count)
        retried = sum(entry.get("event_code") == "db_retry" for entry in logs)

        finish(database)
        assert open_jobs(database) == 0
        assert audit_rows(database) == []
        assert jobs_of(database, account) >= JOBS
        transactions = next(begun)
        assert transactions > 1000
        assert retried < 0.01 * transactions, f"{retried} of {transactions} transactions were tried again"


def again_and_again(ended: threading.Event, work: Callable[[], object]) -> None:
    while not ended.wait(0.01):
        work()


def labour(database: Database, worker: int, chance: random.Random) -> None:
    """Claim what there is and end it somehow; what was cancelled or rescued meanwhile is nobody's any more."""
    for _ in range(ROUNDS):
        for pool in (Pool.METADATA, Pool.TRANSCODER):
            lease_seconds = -1.0 if chance.random() < 0.1 else 60.0  # one that is dead as soon as it begins
            held = take(database, pool, lease_seconds=lease_seconds, worker_id=worker + 1)
            if held is None:
                continue
            with suppress(LeaseLost):
                end_somehow(database, held, chance)


def end_somehow(database: Database, held: Task, chance: random.Random) -> None:
    lot = chance.random()
    if lot < 0.1:
        release(database, held)
    elif lot < 0.2:
        fail(database, held, SourceError("Broken."), host="alpha")
    elif lot < 0.3:
        fail(database, held, Unavailable(), host="alpha", backoff_base=0.0)
    else:
        try:
            settle(database, held, a_settlement(held, plan=a_plan(encodes=3)))
        except Stopped:  # cancelled meanwhile
            acknowledge_cancel(database, held)


def reap(database: Database) -> None:
    Rescuer(database, lease_seconds=60).rescue()
    promote(database)


def meddle(database: Database, account: int, keys: list[str], chance: random.Random) -> None:
    """Cancel one, take one up again, ask for a new one."""
    for verb in (cancel, retry):
        try:
            verb(database, account, chance.choice(keys))
        except (Conflict, NotFound):
            continue
    if chance.random() < 0.05:
        keys.append(a_job(database, account, path="film.mov", callback=None))


def finish(database: Database) -> None:
    """One worker alone does what is left."""
    while open_jobs(database):
        reap(database)
        for pool in (Pool.METADATA, Pool.TRANSCODER):
            while held := take(database, pool):
                settle(database, held, a_settlement(held, plan=a_plan(encodes=1)))


def jobs_of(database: Database, account: int) -> int:
    question = select(func.count()).select_from(job).where(job.c.account_id == account)
    return database.fetch(lambda connection: connection.execute(question).scalar_one())
