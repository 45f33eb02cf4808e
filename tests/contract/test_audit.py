"""The audit finds nothing in a sound farm, and names each way in which one can be unsound."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import artifact, job, outbox, output, task, task_attempt
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.task import Pool, TaskState
from omkt_pipeline.queue.audit import audit, audit_files, audit_rows
from omkt_pipeline.queue.jobs import cancel
from omkt_pipeline.queue.retention import mark_swept, sweepable
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.testing import a_plan, a_planned_job, a_settlement, an_account, taken


def a_busy_farm(database: Database) -> None:
    """One job that succeeded, one in the middle, one cancelled while a worker is at it."""
    account = an_account(database)
    a_planned_job(database, account, a_plan(encodes=1))
    for _ in range(2):
        held = taken(database, Pool.TRANSCODER)
        settle(database, held, a_settlement(held))
    cancelled = a_planned_job(database, account, a_plan(encodes=1))
    taken(database, Pool.TRANSCODER)
    cancel(database, account, cancelled)
    a_planned_job(database, account, a_plan(encodes=2))
    taken(database, Pool.TRANSCODER)


def done(connection: Connection) -> int:
    """The id of a package that is done."""
    found = connection.execute(task.select().where(task.c.kind == "package", task.c.state == TaskState.DONE)).first()
    assert found is not None
    return int(found.id)


def a_second_success(connection: Connection) -> None:
    values = {"task_id": done(connection), "attempt": 2, "token": bytes(16), "worker_id": 1, "host": "x"}
    connection.execute(insert(task_attempt).values(**values, started_at=now(), ended_at=now(), outcome="ok"))


def change(table: object, where: Callable[[Connection], object], **values: object) -> Callable[[Connection], None]:
    def sabotage(connection: Connection) -> None:
        connection.execute(update(table).where(where(connection)).values(**values))  # type: ignore[arg-type]

    return sabotage


def _no_webhook(connection: Connection) -> None:
    connection.execute(delete(outbox))


def _double_webhook(connection: Connection) -> None:
    row = connection.execute(outbox.select()).mappings().first()
    assert row is not None
    connection.execute(insert(outbox).values(**{**row, "id": row["id"] + 1000, "message_id": "invented"}))


def _forget(connection: Connection) -> None:
    connection.execute(delete(task_attempt).where(task_attempt.c.task_id == done(connection)))


def _forget_open_tasks(connection: Connection) -> None:
    connection.execute(delete(task).where(task.c.state < TaskState.DONE))


RUNNING = change(task_attempt, lambda _: task_attempt.c.outcome.is_(None), outcome="lost")
SABOTAGES: dict[str, tuple[Callable[[Connection], None], set[str]]] = {
    "two good attempts of one task": (a_second_success, {"done_twice", "attempts_do_not_match"}),
    "a visible attempt that failed": (
        change(task_attempt, lambda c: task_attempt.c.task_id == done(c), outcome="failed"),
        {"published_without_success"},
    ),
    "a good attempt that nobody sees": (
        change(task, lambda c: task.c.id == done(c), state=TaskState.FAILED, published_attempt=None),
        {"success_not_published", "artifact_of_hidden_attempt", "output_without_task"},
    ),
    "an end without an end of the lease": (RUNNING, {"running_without_attempt"}),
    "a lease without an end": (
        change(task, lambda _: task.c.state == TaskState.RUNNING, lease_until=None),
        {"lease_on_resting_task"},
    ),
    "a file of another attempt": (
        change(artifact, lambda c: artifact.c.task_id == done(c), attempt=7),
        {"artifact_of_hidden_attempt"},
    ),
    "a child before its parent": (
        change(task, lambda _: task.c.state == TaskState.WAITING, state=TaskState.READY),
        {"started_too_early"},
    ),
    "a job that was forgotten": (_forget_open_tasks, {"job_without_work"}),
    "a job that ended without its tasks": (
        change(job, lambda _: job.c.state == "running", state="cancelled"),
        {"work_without_job"},
    ),
    "a success with a gap": (
        change(output, lambda c: output.c.task_id == done(c), state="pending"),
        {"succeeded_with_gaps"},
    ),
    "an output that lies elsewhere": (
        change(output, lambda c: output.c.task_id == done(c), folder="elsewhere"),
        {"output_without_task"},
    ),
    "a webhook that was invented": (_double_webhook, {"webhooks_do_not_match"}),
    "a webhook that was forgotten": (_no_webhook, {"webhooks_do_not_match"}),
    "an attempt that was forgotten": (
        _forget,
        {"attempts_do_not_match", "published_without_success"},
    ),
}


def test_a_sound_farm_has_no_faults(database: Database) -> None:
    a_busy_farm(database)

    assert audit_rows(database) == []


@pytest.mark.parametrize(("sabotage", "codes"), SABOTAGES.values(), ids=SABOTAGES)
def test_every_unsoundness_has_its_name(
    sqlite: Database, sabotage: Callable[[Connection], None], codes: set[str]
) -> None:
    a_busy_farm(sqlite)
    sqlite.transact(sabotage)

    assert {fault.code for fault in audit_rows(sqlite)} == codes


def test_files_are_held_against_their_rows(sqlite: Database, tmp_path: Path) -> None:
    a_busy_farm(sqlite)
    (ended,) = sweepable(sqlite)
    (folder,) = ended.kept
    assert [fault.code for fault in audit_files(sqlite, tmp_path)] == ["file_missing"]
    (tmp_path / folder).mkdir(parents=True)
    file = tmp_path / folder / "film.mp4"
    file.write_bytes(b"film")
    assert audit(sqlite, tmp_path, deep=True) == []

    file.write_bytes(b"FILM")
    assert audit(sqlite, tmp_path) == []
    assert [fault.code for fault in audit(sqlite, tmp_path, deep=True)] == ["file_altered"]
    file.write_bytes(b"fil")
    assert [fault.code for fault in audit(sqlite, tmp_path)] == ["file_altered"]
    file.write_bytes(b"film")
    (tmp_path / folder).with_name("a9-left").mkdir()
    assert audit(sqlite, tmp_path) == []
    mark_swept(sqlite, ended)
    assert [fault.code for fault in audit(sqlite, tmp_path)] == ["left_over"]
