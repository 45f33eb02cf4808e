"""What a done task left can be gone when it is needed, as after a restored backup. Then it is made again, and the job goes on."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.contract.looking import job_state, outcomes, task_row, task_state

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.effects import Settlement
from omkt_pipeline.domain.errors import ResultLost, SourceError, VerifyError
from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.task import AttemptOutcome, Pool, Task, TaskState
from omkt_pipeline.queue.audit import audit
from omkt_pipeline.queue.giveback import MAX_FAILURES, fail
from omkt_pipeline.queue.inputs import Inputs
from omkt_pipeline.queue.jobs import retry
from omkt_pipeline.storage import layout
from omkt_pipeline.storage.share import Share
from omkt_pipeline.testing import a_plan, a_planned_job, a_settlement, taken
from omkt_pipeline.worker import TaskContext
from omkt_pipeline.worker.attempt import Attempt, Surroundings, run

Work = Callable[[Task], AttemptOutcome]


@pytest.fixture
def share(tmp_path: Path) -> Share:
    return Share.create(tmp_path / "share", farm_id="f")


@pytest.fixture
def work(database: Database, share: Share, tmp_path: Path) -> Work:
    """A worker that encodes by writing a word, and packages what it finds."""
    around = Surroundings(database=database, share=share, scratch=tmp_path / "scratch", host="alpha", backoff_seconds=0)

    def handler(ctx: TaskContext) -> Settlement:
        needed = Inputs(database).inputs_of(ctx.task)
        for staged in needed.values():
            for file in staged.artifacts:
                if not (share.root / staged.folder / file.path).is_file():
                    raise VerifyError("The tool could not open its input.")
        (ctx.scratch / "film.mp4").write_bytes(b"film")
        settled = a_settlement(ctx.task)
        folder = f"{layout.STAGING}/{ctx.task.job_key}/{ctx.task.id}/{ctx.task.folder_name}"
        return Settlement(effect=settled.effect, folder=folder, artifacts=ctx.keep(ctx.scratch, folder))

    return lambda held: run(Attempt(task=held), handler, around)


def encoded(database: Database, work: Work, number: int) -> list[Task]:
    held = [taken(database, Pool.TRANSCODER) for _ in range(number)]
    assert [work(one) for one in held] == [AttemptOutcome.OK] * number
    return held


def lose(share: Share, task: Task) -> None:
    shutil.rmtree(share.root / layout.STAGING / task.job_key / str(task.id))


def test_a_lost_result_is_made_again_and_the_job_succeeds(
    database: Database, account: int, share: Share, work: Work
) -> None:
    key = a_planned_job(database, account, a_plan(encodes=2))
    first, second = encoded(database, work, 2)
    lose(share, first)
    package = taken(database, Pool.TRANSCODER)

    assert work(package) is AttemptOutcome.FAILED

    assert task_row(database, package.id).reason == "result_lost"
    assert (task_state(database, package), task_state(database, second)) == (TaskState.WAITING, TaskState.DONE)
    again = taken(database, Pool.TRANSCODER)
    assert (again.id, again.attempt) == (first.id, 2)
    assert work(again) is AttemptOutcome.OK
    assert work(taken(database, Pool.TRANSCODER)) is AttemptOutcome.OK
    assert job_state(database, key) is JobState.SUCCEEDED
    assert (outcomes(database, first), outcomes(database, package)) == (["lost", "ok"], ["failed", "ok"])
    assert audit(database, share.root, deep=True) == []


def test_two_that_miss_the_same_result_have_it_made_once(
    database: Database, account: int, share: Share, work: Work
) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1, outputs=("film", "other")))
    (encode,) = encoded(database, work, 1)
    lose(share, encode)
    packages = [taken(database, Pool.TRANSCODER) for _ in range(2)]

    assert [work(one) for one in packages] == [AttemptOutcome.FAILED] * 2

    assert work(taken(database, Pool.TRANSCODER)) is AttemptOutcome.OK
    assert [work(taken(database, Pool.TRANSCODER)) for _ in packages] == [AttemptOutcome.OK] * 2
    assert job_state(database, key) is JobState.SUCCEEDED
    assert outcomes(database, encode) == ["lost", "ok"]
    assert audit(database, share.root, deep=True) == []


def test_who_fails_for_a_result_that_has_just_been_made_again_is_ready_at_once(
    database: Database, account: int, work: Work
) -> None:
    a_planned_job(database, account, a_plan(encodes=1))
    (encode,) = encoded(database, work, 1)
    package = taken(database, Pool.TRANSCODER)

    fail(database, package, ResultLost(["part0"], under_way=True), host="alpha")

    assert task_state(database, encode) is TaskState.DONE
    assert work(taken(database, Pool.TRANSCODER)) is AttemptOutcome.OK


def test_a_share_that_loses_everything_ends_the_job(database: Database, account: int, share: Share, work: Work) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1))
    for _ in range(MAX_FAILURES):
        (encode,) = encoded(database, work, 1)
        lose(share, encode)
        assert work(taken(database, Pool.TRANSCODER)) is AttemptOutcome.FAILED

    assert job_state(database, key) is JobState.FAILED
    assert audit(database, share.root) == []


def test_a_job_that_had_failed_for_it_can_be_tried_again(
    database: Database, account: int, share: Share, work: Work
) -> None:
    """As one that an older version gave up."""
    key = a_planned_job(database, account, a_plan(encodes=1))
    (encode,) = encoded(database, work, 1)
    package = taken(database, Pool.TRANSCODER)
    fail(database, package, SourceError("gone", code="share_unusable"), host="alpha")
    lose(share, encode)

    retry(database, account, key)

    assert work(taken(database, Pool.TRANSCODER)) is AttemptOutcome.FAILED
    assert [work(taken(database, Pool.TRANSCODER)) for _ in range(2)] == [AttemptOutcome.OK] * 2
    assert job_state(database, key) is JobState.SUCCEEDED


def test_other_failures_with_all_results_there_are_what_they_were(
    database: Database, account: int, share: Share, tmp_path: Path, work: Work
) -> None:
    a_planned_job(database, account, a_plan(encodes=1))
    (encode,) = encoded(database, work, 1)
    package = taken(database, Pool.TRANSCODER)
    around = Surroundings(database=database, share=share, scratch=tmp_path / "other", host="alpha", backoff_seconds=0)

    def broken(_: TaskContext) -> Settlement:
        raise VerifyError("It is too short.")

    assert run(Attempt(task=package), broken, around) is AttemptOutcome.FAILED
    assert task_row(database, package.id).reason == "verify_failed"
    assert task_state(database, encode) is TaskState.DONE
