"""A plan that first wants to know what samples take: the job waits for its second plan, whatever else ends before."""

from tests.contract.looking import job_state, task_states
from tests.contract.test_adding import finish, plan_more

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.effects import Encoded, Settlement
from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.plan import Plan, PlannedTask
from omkt_pipeline.domain.task import Pool, TaskKind, TaskState
from omkt_pipeline.queue.adding import add_outputs
from omkt_pipeline.queue.audit import audit_rows
from omkt_pipeline.queue.inputs import Inputs
from omkt_pipeline.queue.jobs import cancel
from omkt_pipeline.queue.overview import job_by_key
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.testing import a_planned_job, taken

SAMPLE = PlannedTask(key="sample.film.0", kind=TaskKind.ENCODE, spec={})
SECOND = PlannedTask(key="plan-sampled", kind=TaskKind.PLAN, spec={"sampled": True}, needs=(SAMPLE.key,))
FIRST = Plan(outputs=(), tasks=(SAMPLE, SECOND))
FOUND = {"renditions": {"720p": {"bitrate": 1000, "duration": 4.0}}}


def sample(database: Database) -> None:
    held = taken(database, Pool.TRANSCODER)
    settle(database, held, Settlement(effect=Encoded(facts=FOUND), folder=f"staging/{held.id}"))


def test_the_second_plan_waits_for_the_samples_and_is_told_what_they_took(database: Database, account: int) -> None:
    key = a_planned_job(database, account, FIRST)
    assert job_state(database, key) is JobState.RUNNING
    assert task_states(database, key)["plan-sampled"] is TaskState.WAITING
    assert job_by_key(database, account, key).outputs == ()

    sample(database)
    second = taken(database, Pool.METADATA)

    assert second.spec == {"sampled": True}
    (staged,) = Inputs(database).inputs_of(second).values()
    assert staged.facts == FOUND


def test_a_sampled_job_succeeds_when_its_outputs_are_there(database: Database, account: int) -> None:
    key = a_planned_job(database, account, FIRST)
    sample(database)
    assert job_state(database, key) is JobState.RUNNING

    plan_more(database, "film")
    finish(database)

    assert job_state(database, key) is JobState.SUCCEEDED
    assert audit_rows(database) == []


def test_what_is_added_meanwhile_does_not_end_the_job(database: Database, account: int) -> None:
    key = a_planned_job(database, account, FIRST)
    add_outputs(database, account, key, ["audio-aac"])
    plan_more(database, "audio-aac", encodes=0)
    sample(database)
    held = taken(database, Pool.METADATA)
    finish(database)

    assert job_state(database, key) is JobState.RUNNING
    assert held.spec == {"sampled": True}


def test_a_cancelled_job_is_not_planned_again(database: Database, account: int) -> None:
    key = a_planned_job(database, account, FIRST)
    cancel(database, account, key)

    assert set(task_states(database, key).values()) == {TaskState.DONE, TaskState.CANCELLED}
    assert audit_rows(database) == []
