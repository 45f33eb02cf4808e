"""Fault 34: a backup is taken under load, the database is destroyed, and restored older than the files on the share."""

import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.faults.gang import Gang, open_jobs, open_tasks, until_quiet
from tests.servers.databases import ENGINES, administer, clean_database, server

from omkt_api.expire import Expire, Retention
from omkt_api.strays import Strays
from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import output
from omkt_pipeline.domain.job import OutputState
from omkt_pipeline.queue.audit import audit
from omkt_pipeline.storage import layout
from omkt_pipeline.storage.share import Share
from omkt_pipeline.testing import a_plan, a_planned_job, an_account

JOBS, ENCODES = 10, 5
TASKS = JOBS * (ENCODES + 1)
Restore = Callable[[], None]


def backup_of_sqlite(database: Database, folder: Path) -> Restore:
    """By SQLite's own backup, which copies one state of a database that is being written."""
    live, kept = str(database.url.database), folder / "backup.db"
    copy(live, str(kept))

    def restore() -> None:
        database.close()
        for path in Path(live).parent.glob(f"{Path(live).name}*"):
            path.unlink()
        copy(str(kept), live)

    return restore


def copy(source: str, target: str) -> None:
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()


def backup_of_mariadb(database: Database, folder: Path) -> Restore:
    """By a dump in one transaction."""
    kept = folder / "backup.sql"
    login = ["--host=127.0.0.1", f"--port={server('mariadb').port}", "--user=root"]
    with kept.open("wb") as dump:
        subprocess.run(["mariadb-dump", *login, "--single-transaction", "farm"], stdout=dump, check=True)

    def restore() -> None:
        administer("mariadb", "DROP DATABASE farm")
        administer("mariadb", "CREATE DATABASE farm")
        with kept.open("rb") as dump:
            subprocess.run(["mariadb", *login, "farm"], stdin=dump, check=True)
        database.close()  # its connections are to a database that is gone

    return restore


BACKUPS = {"sqlite": backup_of_sqlite, "mariadb": backup_of_mariadb}


@pytest.mark.parametrize("engine", [engine for engine in ENGINES if engine in BACKUPS])
def test_a_farm_that_was_restored_does_what_was_forgotten_again_and_sweeps_what_nobody_knows(
    engine: str, tmp_path: Path
) -> None:
    with clean_database(engine, tmp_path) as database:
        account = an_account(database)
        for _ in range(JOBS):
            a_planned_job(database, account, a_plan(encodes=ENCODES), callback=None)
        with Gang(database, tmp_path, size=4, lease_seconds=2.0, slow=0.05) as gang:
            until_left(database, TASKS * 2 // 3)
            restore = BACKUPS[engine](database, tmp_path)
            in_backup = open_tasks(database)
            until_left(database, TASKS // 6)
        published_before = folders_of_results(gang.share.root)

        restore()

        assert open_tasks(database) > TASKS // 6, "the backup is older than the files"
        assert open_tasks(database) >= in_backup
        with Gang(database, tmp_path / "again", size=4, lease_seconds=2.0, share=gang.share) as gang:
            until_quiet(database, gang.replace_the_dead, every=0.2, at_most=100)

        assert open_jobs(database) == 0
        assert audit(database, gang.share.root, deep=True) == []
        assert len(folders_of_results(gang.share.root) | published_before) > JOBS, "some were made twice"
        sweep(database, gang.share)
        assert len(folders_of_results(gang.share.root)) == published(database) == JOBS
        assert audit(database, gang.share.root, deep=True) == []


def until_left(database: Database, tasks: int) -> None:
    """Return when no more than so many tasks are open."""
    while open_tasks(database) > tasks:
        time.sleep(0.02)


def folders_of_results(root: Path) -> set[Path]:
    """The folders of attempts that lie below results: job, output, attempt."""
    return set((root / layout.RESULTS).glob("*/*/*"))


def published(database: Database) -> int:
    question = select(func.count()).select_from(output).where(output.c.state == OutputState.PUBLISHED)
    return database.fetch(lambda connection: connection.execute(question).scalar_one())


def sweep(database: Database, share: Share) -> None:
    """What the courier does behind ended jobs; then its search for strays, a day and more later."""
    keep_all = Retention(originals_seconds=0, results_seconds=0, failed_seconds=0)
    Expire(database, share, lambda: keep_all).work_once()
    later = time.time() + 2 * 86400
    strays = Strays(database, share, clock=lambda: later)
    for _ in range(6):  # each call looks at one batch
        strays.work_once()
