"""One transaction ends an attempt, writes what it found and makes the next tasks ready."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from tests.contract.looking import count, job_state, outcomes, snapshot, task_row, task_state, task_states

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import artifact, outbox, output
from omkt_pipeline.domain.effects import Encoded, Planned, Settlement
from omkt_pipeline.domain.job import JobState, OutputState
from omkt_pipeline.domain.plan import Plan, PlannedOutput, PlannedTask
from omkt_pipeline.domain.task import Pool, Task, TaskKind, TaskState
from omkt_pipeline.queue.audit import audit_rows
from omkt_pipeline.queue.overview import job_by_key, published_output, tasks_of
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.testing import a_job, a_plan, a_planned_job, a_settlement, an_artifact, take, taken


def do_next(database: Database, pool: Pool, plan: Plan | None = None) -> Task:
    held = taken(database, pool)
    settle(database, held, a_settlement(held, plan=plan))
    return held


def test_a_job_goes_its_whole_way(database: Database, account: int) -> None:
    key = a_job(database, account)
    done = [do_next(database, pool) for pool in (Pool.COURIER, Pool.METADATA, Pool.METADATA)]
    done += [do_next(database, Pool.TRANSCODER) for _ in range(3)]

    view = job_by_key(database, account, key)
    assert [task.kind for task in done] == ["fetch", "probe", "plan", "encode", "encode", "package"]
    assert view.state is JobState.SUCCEEDED
    assert view.progress == 1.0
    assert [(one.key, one.state, one.bytes) for one in view.outputs] == [("film", OutputState.PUBLISHED, 4)]
    assert published_output(database, key, "film", account_id=account).files == {"film.mp4": an_artifact()}
    assert {row.state for row in tasks_of(database, account, key)} == {TaskState.DONE}


def test_progress_only_grows_from_step_to_step(database: Database, account: int) -> None:
    key = a_job(database, account)
    seen = [job_by_key(database, account, key).progress]
    for pool in (Pool.COURIER, Pool.METADATA, Pool.METADATA, *[Pool.TRANSCODER] * 3):
        do_next(database, pool)
        seen.append(job_by_key(database, account, key).progress)

    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_settling_again_is_no_error_and_changes_nothing(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=1))
    held = do_next(database, Pool.TRANSCODER)
    before = snapshot(database)

    settle(database, held, a_settlement(held))

    assert snapshot(database) == before
    assert outcomes(database, held) == ["ok"]


def test_a_settled_task_carries_its_attempt_folder_and_files(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=1))
    held = taken(database, Pool.TRANSCODER)
    files = (an_artifact("a.mp4"), an_artifact("b.mp4", content=b"other"))
    settle(database, held, Settlement(effect=Encoded(facts={"seconds": 3}), folder="made/here", artifacts=files))

    row = task_row(database, held.id)
    assert (row.state, row.published_attempt, row.folder) == (TaskState.DONE, 1, "made/here")
    assert (row.lease_token, row.lease_until, row.worker_id) == (None, None, None)
    assert row.facts == {"seconds": 3}
    assert count(database, artifact) == 2


def test_a_settlement_that_cannot_be_written_leaves_no_trace(database: Database, account: int) -> None:
    a_planned_job(database, account, a_plan(encodes=1))
    held = taken(database, Pool.TRANSCODER)
    before = snapshot(database)
    twice = (an_artifact("same.mp4"), an_artifact("same.mp4"))

    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        settle(database, held, Settlement(effect=Encoded(facts={}), folder="made/here", artifacts=twice))

    assert snapshot(database) == before


def test_a_task_waits_for_everything_it_needs(database: Database, account: int) -> None:
    """A diamond: one before two before one."""
    left, right = (PlannedTask(key=key, kind=TaskKind.ENCODE, spec={}, needs=("top",)) for key in ("left", "right"))
    plan = Plan(
        outputs=a_plan().outputs,
        tasks=(
            PlannedTask(key="top", kind=TaskKind.ENCODE, spec={}),
            left,
            right,
            PlannedTask(
                key="end", kind=TaskKind.PACKAGE, spec={"output": "film"}, needs=("left", "right"), output="film"
            ),
        ),
    )
    key = a_planned_job(database, account, plan)

    def ready() -> set[str]:
        return {name for name, state in task_states(database, key).items() if state is TaskState.READY}

    seen = [ready()]
    for _ in range(4):
        do_next(database, Pool.TRANSCODER)
        seen.append(ready())
    assert seen == [{"top"}, {"left", "right"}, {"right"}, {"end"}, set()]
    assert job_state(database, key) is JobState.SUCCEEDED


def at_the_same_moment(database: Database, held: list[Task]) -> None:
    together = threading.Barrier(len(held))

    def work(task: Task) -> None:
        together.wait()
        settle(database, task, a_settlement(task))

    with ThreadPoolExecutor(len(held)) as threads:
        list(threads.map(work, held))


def test_parents_that_settle_at_the_same_moment_free_their_child(database: Database, account: int) -> None:
    for _ in range(10):
        a_planned_job(database, account, a_plan(encodes=4))
        at_the_same_moment(database, [taken(database, Pool.TRANSCODER) for _ in range(4)])

        child = taken(database, Pool.TRANSCODER)
        assert child.kind is TaskKind.PACKAGE
        settle(database, child, a_settlement(child))


def test_outputs_that_are_published_at_the_same_moment_end_the_job_once(database: Database, account: int) -> None:
    for number in range(1, 6):
        key = a_planned_job(database, account, a_plan(encodes=1, outputs=("a", "b", "c")))
        do_next(database, Pool.TRANSCODER)
        at_the_same_moment(database, [taken(database, Pool.TRANSCODER) for _ in range(3)])

        assert job_state(database, key) is JobState.SUCCEEDED
        assert count(database, outbox) == number
    states = select(output.c.state).distinct()
    assert database.fetch(lambda connection: connection.execute(states).scalars().all()) == [OutputState.PUBLISHED]
    assert take(database, Pool.TRANSCODER) is None


def test_another_attempt_cannot_publish_what_is_published(database: Database, account: int) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1))
    do_next(database, Pool.TRANSCODER)
    package = do_next(database, Pool.TRANSCODER)

    assert task_state(database, package) is TaskState.DONE
    assert published_output(database, key, "film").folder.endswith(package.folder_name)


def test_an_output_that_the_plan_skips_does_not_hold_the_job_up(database: Database, account: int) -> None:
    key = a_job(database, account, path="a.mp4")
    probed = taken(database, Pool.METADATA)
    settle(database, probed, a_settlement(probed))
    plan = a_plan(encodes=1)
    skipped = PlannedOutput(key="sound", preset="audio-aac", preset_version=1, kind="file", skipped="no_audio")
    planned = taken(database, Pool.METADATA)
    settle(
        database,
        planned,
        Settlement(effect=Planned(plan=plan.model_copy(update={"outputs": (*plan.outputs, skipped)}))),
    )
    for _ in range(2):
        held = taken(database, Pool.TRANSCODER)
        settle(database, held, a_settlement(held))

    view = job_by_key(database, account, key)

    assert view.state is JobState.SUCCEEDED
    assert {one.key: one.state for one in view.outputs} == {"film": OutputState.PUBLISHED, "sound": OutputState.SKIPPED}
    assert audit_rows(database) == []
