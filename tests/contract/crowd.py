"""A database with thousands of rows of every state, so that the servers' optimisers have something to choose from."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import artifact, job, media, outbox, output, task, task_attempt, task_edge
from omkt_pipeline.domain.task import TaskState

JOBS = 1000
TASKS_OF_A_JOB = 5
_PAST = datetime(2026, 1, 1, tzinfo=UTC)
#: States of the jobs' tasks in turn: most are done.
_STATES = [
    *[TaskState.DONE] * 15,
    TaskState.READY,
    TaskState.READY,
    TaskState.WAITING,
    TaskState.DELAYED,
    TaskState.RUNNING,
]


def fill(database: Database, account: int) -> None:
    """Insert the crowd and have the server count it. Delayed tasks are due and leases expired only in part."""
    rows: dict[Any, list[dict[str, Any]]] = {
        table: [] for table in (media, job, task, task_attempt, task_edge, artifact, outbox, output)
    }
    for number in range(1, JOBS + 1):
        _add_job(rows, account + number % 10, 1_000_000 + number)
    with database.engine.begin() as connection:
        for table, values in rows.items():
            connection.execute(insert(table), values)
    with database.engine.connect() as connection:
        for table in rows:
            connection.execute(text(f"ANALYZE TABLE {table.name}"))


def _add_job(rows: dict[Any, list[dict[str, Any]]], account: int, number: int) -> None:
    at = _PAST + timedelta(minutes=number % JOBS)
    state = _STATES[number % len(_STATES)]
    ended = state is TaskState.DONE
    rows[media].append(
        {"id": number, "media_key": f"m{number}", "account_id": account, "source_kind": "url", "source": "x",
         "path": "p", "state": 2, "created_at": at}
    )  # fmt: skip
    rows[job].append(
        {"id": number, "job_key": f"j{number}", "account_id": account, "media_id": number, "band": 50, "presets": [],
         "state": "succeeded" if ended else "running", "events": 0, "swept": ended, "created_at": at,
         "finished_at": at if ended else None}
    )  # fmt: skip
    rows[output].append(
        {"job_id": number, "output_key": "o", "preset": "o", "preset_version": 1, "kind": "file",
         "state": "published" if ended else "pending"}
    )  # fmt: skip
    rows[outbox].append(
        {"account_id": account, "job_id": number, "message_id": f"msg{number}", "topic": "t", "url": "u", "body": {},
         "state": 2 if number % 10 else 0, "tries": 0, "run_at": at, "created_at": at}
    )  # fmt: skip
    for step in range(TASKS_OF_A_JOB):
        _add_task(rows, account, number, number * TASKS_OF_A_JOB + step, state, at)


def _add_task(
    rows: dict[Any, list[dict[str, Any]]], account: int, job_id: int, task_id: int, state: TaskState, at: datetime
) -> None:
    token = os.urandom(16)
    running = state is TaskState.RUNNING
    rows[task].append(
        {"id": task_id, "job_id": job_id, "job_key": f"j{job_id}", "media_id": job_id, "account_id": account,
         "kind": "encode", "plan_key": f"t{task_id}", "pool": task_id % 3 + 1, "spec": {}, "state": state, "band": 50,
         "fair_key": float(task_id % 777), "cost": 1.0, "run_at": at if task_id % 2 else at + timedelta(days=9999),
         "attempt": 1, "failures": 0, "losses": 0, "progress": 0.0, "cancel_requested": False, "created_at": at,
         "lease_token": token if running else None, "worker_id": 1 if running else None,
         "lease_until": at + timedelta(days=9999 * (task_id % 2)) if running else None,
         "published_attempt": 1 if state is TaskState.DONE else None}
    )  # fmt: skip
    rows[task_attempt].append(
        {"task_id": task_id, "attempt": 1, "token": token, "worker_id": 1, "host": "alpha", "started_at": at}
    )
    if state is TaskState.DONE:
        rows[artifact].append({"task_id": task_id, "attempt": 1, "path": "a", "bytes": 1, "sha256": "0" * 64})
    if task_id % TASKS_OF_A_JOB:
        rows[task_edge].append({"task_id": task_id, "needs_id": task_id - 1})
