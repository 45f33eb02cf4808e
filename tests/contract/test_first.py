"""`first`: one output of a job is made by itself and before the others, so that there is something to play early."""

from pathlib import Path

from tests.contract.looking import job_state

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.plan import Decision, Plan, PlannedOutput
from omkt_pipeline.domain.task import Pool, Task, TaskKind
from omkt_pipeline.queue.audit import audit
from omkt_pipeline.queue.overview import job_by_key
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.testing import a_job, a_plan, a_settlement, take, taken

PRESETS = ("ladder", "quick", "stills")


def step(database: Database, plan: Plan | None = None) -> Task:
    held = taken(database, Pool.METADATA)
    settle(database, held, a_settlement(held, plan=plan))
    return held


def refused(*names: str) -> Plan:
    outputs = tuple(
        PlannedOutput(key=one, preset=one, preset_version=1, kind="file", skipped="no_video") for one in names
    )
    said = tuple(Decision(code="no_video", message="There is no picture.", output=one, warning=True) for one in names)
    return Plan(outputs=outputs, tasks=(), decisions=said)


def asked(database: Database, account: int) -> str:
    return a_job(database, account, path="film.mov", presets=PRESETS, first="quick")


def test_it_is_planned_by_itself_and_published_while_the_others_are_made(database: Database, account: int) -> None:
    key = asked(database, account)
    step(database)  # the probe
    assert step(database, a_plan(encodes=1, outputs=["quick"])).spec["presets"] == ["quick"]
    assert step(database, a_plan(encodes=3, outputs=["ladder", "stills"])).spec["presets"] == ["ladder", "stills"]

    encode, beside = taken(database, Pool.TRANSCODER), taken(database, Pool.TRANSCODER)
    settle(database, encode, a_settlement(encode))
    package = taken(database, Pool.TRANSCODER)

    assert (package.kind, package.spec["output"], beside.kind) == (TaskKind.PACKAGE, "quick", TaskKind.ENCODE)
    settle(database, package, a_settlement(package))
    view = job_by_key(database, account, key)
    assert view.state is JobState.RUNNING
    assert {one.key: one.state.value for one in view.outputs} == {
        "quick": "published",
        "ladder": "pending",
        "stills": "pending",
    }
    settle(database, beside, a_settlement(beside))
    while held := take(database, Pool.TRANSCODER):
        settle(database, held, a_settlement(held))
    assert job_state(database, key) is JobState.SUCCEEDED


def test_the_others_are_made_when_it_cannot_be(database: Database, account: int) -> None:
    key = asked(database, account)
    step(database)
    step(database, refused("quick"))
    step(database, a_plan(encodes=1, outputs=["ladder", "stills"]))
    while held := take(database, Pool.TRANSCODER):
        settle(database, held, a_settlement(held))

    assert job_state(database, key) is JobState.SUCCEEDED


def test_the_job_succeeds_with_it_when_the_others_cannot_be_made(database: Database, account: int) -> None:
    key = asked(database, account)
    step(database)
    step(database, a_plan(encodes=1, outputs=["quick"]))
    step(database, refused("ladder", "stills"))
    while held := take(database, Pool.TRANSCODER):
        settle(database, held, a_settlement(held))

    assert job_state(database, key) is JobState.SUCCEEDED


def test_the_job_fails_when_none_of_all_can_be_made(database: Database, account: int, tmp_path: Path) -> None:
    key = asked(database, account)
    step(database)
    step(database, refused("quick"))
    assert job_state(database, key) is JobState.RUNNING
    step(database, refused("ladder", "stills"))

    view = job_by_key(database, account, key)
    assert view.state is JobState.FAILED
    assert view.error is not None
    assert view.error.code == "no_video"
    assert audit(database, tmp_path) == []


def test_a_job_with_one_output_is_planned_as_ever(database: Database, account: int) -> None:
    a_job(database, account, path="film.mov", presets=("quick",), first="quick")
    step(database)

    assert step(database, a_plan(outputs=["quick"])).spec == {}
    assert take(database, Pool.METADATA) is None
