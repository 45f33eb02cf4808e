"""Many rows at once: copies of one genuine task, made inside the server."""

# ruff: noqa: S608 - all that is put into these statements are numbers and names of our own

import time
from collections.abc import Mapping

from sqlalchemy import text

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job, output, task
from omkt_pipeline.domain.task import Pool, TaskState
from omkt_pipeline.testing import a_planned_job, an_account, taken

_BLOCK = 50_000
_COLUMNS = [column.name for column in task.columns if column.name != "id"]


def add_ready(database: Database, count: int) -> None:
    """Make `count` tasks of the transcoder ready, and none beside them."""
    _seed(database)
    _copy(database, count, {"fair_key": "n.i", "job_id": "1000000 + n.i DIV 5"})


def add_finished(database: Database, count: int) -> float:
    """Add `count` tasks that are done, each with its one attempt; return the seconds it took."""
    begun = time.monotonic()
    _seed(database)
    done = {
        "state": str(int(TaskState.DONE)),
        "attempt": "1",
        "published_attempt": "1",
        "finished_at": "NOW(6)",
        "fair_key": "n.i",
        "job_id": "1000000 + n.i DIV 5",
    }
    _copy(database, count, done)
    with database.engine.connect() as connection:
        last = connection.execute(text("SELECT MAX(id) FROM task")).scalar_one()
        for low in range(0, last, _BLOCK):
            connection.execute(
                text(
                    # Tokens are spread over their whole range, as random ones are.
                    "INSERT IGNORE INTO task_attempt (task_id, attempt, token, worker_id, host, started_at, ended_at, outcome) "
                    "SELECT id, 1, LEFT(UNHEX(SHA2(id, 256)), 16), 1, 'alpha', NOW(6), NOW(6), 'ok' FROM task "
                    f"WHERE id > {low} AND id <= {low + _BLOCK} AND state = {int(TaskState.DONE)}"
                )
            )
            connection.commit()
    return time.monotonic() - begun


def add_jobs(database: Database, count: int) -> float:
    """Add `count` jobs like the only one that is there, each with its output, one in a hundred failed, the others succeeded;
    return the seconds it took."""
    begun = time.monotonic()
    _numbers(database)
    states = "IF(n.i % 100 = 0, 'failed', 'succeeded')"
    jobs = {
        "id": "NULL",
        "state": states,
        "job_key": "LOWER(LEFT(SHA2(CONCAT({block}, '-', n.i), 256), 26))",
        "finished_at": "NOW(6)",
    }
    outputs = {"id": "NULL", "job_id": "job.id", "state": "'published'", "bytes": "1"}
    with database.engine.connect() as connection:
        for block in range(0, count, _BLOCK):
            listed = ", ".join(jobs.get(one.name, f"seed.{one.name}").format(block=block) for one in job.columns)
            connection.execute(
                text(
                    f"INSERT INTO job ({', '.join(one.name for one in job.columns)}) SELECT {listed} "
                    "FROM (SELECT * FROM job ORDER BY id LIMIT 1) AS seed, bench_number AS n "
                    f"WHERE n.i < {min(_BLOCK, count - block)}"
                )
            )
            connection.commit()
        (first,) = connection.execute(text("SELECT MIN(id) FROM job")).one()
        (last,) = connection.execute(text("SELECT MAX(id) FROM job")).one()
        listed = ", ".join(outputs.get(one.name, f"seed.{one.name}") for one in output.columns)
        for low in range(first, last, _BLOCK):
            connection.execute(
                text(
                    f"INSERT INTO output ({', '.join(one.name for one in output.columns)}) SELECT {listed} "
                    "FROM (SELECT * FROM output ORDER BY id LIMIT 1) AS seed, job "
                    f"WHERE job.id > {low} AND job.id <= {low + _BLOCK}"
                )
            )
            connection.commit()
        # As a server counts by itself, some seconds later.
        connection.execute(text("ANALYZE TABLE job, output"))
        connection.commit()
    return time.monotonic() - begun


def _seed(database: Database) -> None:
    """One task to copy, itself claimed; and numbers to copy it by."""
    if not _numbers(database):
        return
    a_planned_job(database, an_account(database))
    taken(database, Pool.TRANSCODER)
    taken(database, Pool.TRANSCODER)


def _numbers(database: Database) -> bool:
    """Numbers to copy rows by; whether they are new."""
    with database.engine.connect() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS bench_number (i INT PRIMARY KEY)"))
        if connection.execute(text("SELECT COUNT(*) FROM bench_number")).scalar_one():
            return False
        digits = " UNION ALL ".join(f"SELECT {digit} AS d" for digit in range(10))
        places = ", ".join(f"({digits}) AS p{place}" for place in range(5))
        connection.execute(
            text(
                "INSERT INTO bench_number SELECT p0.d + 10 * p1.d + 100 * p2.d + 1000 * p3.d + 10000 * p4.d AS i "
                f"FROM {places} HAVING i < {_BLOCK}"
            )
        )
        connection.commit()
    return True


def _copy(database: Database, count: int, values: Mapping[str, str]) -> None:
    chosen = {
        "state": str(int(TaskState.READY)),
        "attempt": "0",
        "lease_token": "NULL",
        "lease_until": "NULL",
        "worker_id": "NULL",
        **values,
    }
    listed = ", ".join(chosen.get(name, f"seed.{name}") for name in _COLUMNS)
    seed = f"(SELECT * FROM task WHERE pool = {int(Pool.TRANSCODER)} ORDER BY id LIMIT 1) AS seed"
    with database.engine.connect() as connection:
        for done in range(0, count, _BLOCK):
            connection.execute(
                text(
                    f"INSERT INTO task ({', '.join(_COLUMNS)}) SELECT {listed} FROM {seed}, bench_number AS n "
                    f"WHERE n.i < {min(_BLOCK, count - done)}"
                )
            )
            connection.commit()
