"""Outputs that are asked for later: the job grows, whatever it is doing, and ends when all of them are there."""

from typing import Any

import pytest
from sqlalchemy import select, update
from tests.contract.looking import job_state, task_states

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job, media
from omkt_pipeline.domain.effects import Planned, Settlement
from omkt_pipeline.domain.errors import Conflict, NotFound
from omkt_pipeline.domain.job import JobState, MediaState, Variation
from omkt_pipeline.domain.plan import Plan, PlannedOutput
from omkt_pipeline.domain.task import Pool, TaskState
from omkt_pipeline.queue.adding import MAX_OUTPUTS, add_outputs
from omkt_pipeline.queue.audit import audit_rows
from omkt_pipeline.queue.feed import after
from omkt_pipeline.queue.inputs import Inputs
from omkt_pipeline.queue.jobs import cancel
from omkt_pipeline.queue.overview import job_by_key
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.testing import a_job, a_plan, a_planned_job, a_settlement, take, taken


def finish(database: Database) -> None:
    """Do all encodes and packages that are there."""
    while (held := take(database, Pool.TRANSCODER)) is not None:
        settle(database, held, a_settlement(held))


def plan_more(database: Database, *outputs: str, **planned: Any) -> None:
    """Settle the plan of what was added."""
    settle(
        database, taken(database, Pool.METADATA), Settlement(effect=Planned(plan=a_plan(outputs=outputs, **planned)))
    )


def test_a_job_that_succeeded_runs_again_and_succeeds_again(database: Database, account: int) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1))
    finish(database)
    assert job_state(database, key) is JobState.SUCCEEDED

    add_outputs(database, account, key, ["audio-aac"])

    assert job_state(database, key) is JobState.RUNNING
    plan_more(database, "audio-aac", encodes=1)
    finish(database)
    view = job_by_key(database, account, key)
    assert view.state is JobState.SUCCEEDED
    assert {one.key for one in view.outputs} == {"film", "audio-aac"}
    assert [one.topic for one in after(database, account, 0)].count("job.succeeded") == 2
    assert audit_rows(database) == []


def test_what_is_added_while_the_job_waits_is_planned_after_it_and_awaited(database: Database, account: int) -> None:
    key = a_job(database, account, path="film.mov")
    add_outputs(database, account, key, ["audio-aac", Variation(id="teaser", preset="mp4-720p", settings={})])
    assert task_states(database, key)["plan-2"] is TaskState.WAITING
    settle(database, held := taken(database, Pool.METADATA), a_settlement(held))
    held = taken(database, Pool.METADATA)
    assert Inputs(database).presets_of(held) == ("mp4-720p",)
    settle(database, held, Settlement(effect=Planned(plan=a_plan(encodes=1))))
    finish(database)
    assert job_state(database, key) is JobState.RUNNING

    held = taken(database, Pool.METADATA)
    asked = Inputs(database).presets_of(held)
    assert asked == ("audio-aac", Variation(id="teaser", preset="mp4-720p", settings={}))
    settle(database, held, Settlement(effect=Planned(plan=a_plan(encodes=1, outputs=("audio-aac", "teaser")))))
    finish(database)
    assert job_state(database, key) is JobState.SUCCEEDED
    assert job_by_key(database, account, key).presets == ("mp4-720p", "audio-aac", "teaser")


def test_what_cannot_be_made_is_skipped_and_the_job_has_succeeded_all_the_same(
    database: Database, account: int
) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1))
    finish(database)
    add_outputs(database, account, key, ["audio-aac"])
    skipped = PlannedOutput(key="audio-aac", preset="audio-aac", preset_version=1, kind="file", skipped="no_audio")

    nothing = Settlement(effect=Planned(plan=Plan(outputs=(skipped,), tasks=())))
    settle(database, taken(database, Pool.METADATA), nothing)

    assert job_state(database, key) is JobState.SUCCEEDED


def test_a_job_that_failed_or_was_cancelled_does_not_grow(database: Database, account: int) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1))
    cancel(database, account, key)
    with pytest.raises(Conflict, match="open or succeeded"):
        add_outputs(database, account, key, ["audio-aac"])


def test_names_differ_and_there_is_a_bound(database: Database, account: int) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1))
    with pytest.raises(Conflict, match="has an output mp4-720p already"):
        add_outputs(database, account, key, ["mp4-720p"])
    with pytest.raises(Conflict, match=f"may have {MAX_OUTPUTS} outputs"):
        add_outputs(database, account, key, [f"p{number}" for number in range(MAX_OUTPUTS)])
    assert database.fetch(lambda connection: connection.execute(select(job.c.added)).scalar()) is None


def test_without_the_original_and_for_strangers_nothing_is_added(database: Database, account: int) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1))
    finish(database)
    with pytest.raises(NotFound):
        add_outputs(database, account + 1, key, ["audio-aac"])
    gone = update(media).values(state=MediaState.EXPIRED)
    database.transact(lambda connection: connection.execute(gone) and None)
    with pytest.raises(Conflict, match="original"):
        add_outputs(database, account, key, ["audio-aac"])
    assert job_state(database, key) is JobState.SUCCEEDED


def test_published_outputs_of_a_media_are_known_by_their_recipe(database: Database, account: int) -> None:
    plan = a_plan(encodes=1)
    (output,) = plan.outputs
    key = a_planned_job(
        database, account, plan.model_copy(update={"outputs": (output.model_copy(update={"recipe": "r"}),)})
    )
    finish(database)
    add_outputs(database, account, key, ["again"])

    inputs, held = Inputs(database), taken(database, Pool.METADATA)
    (row,) = inputs.made_of(held).values()

    assert inputs.made_of(held).keys() == {"r"}
    made = inputs.output_of(row)
    assert made.folder is not None
    assert made.entry
    assert made.artifacts
