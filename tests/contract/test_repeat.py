"""A job that has ended is repeated whole: a new job beside it, which uses nothing that the first one made."""

import pytest
from sqlalchemy import update
from tests.contract.looking import job_state, task_states

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import media
from omkt_pipeline.domain.errors import Conflict, NotFound
from omkt_pipeline.domain.job import Callback, JobState, MediaState, Priority, SourceKind, Variation
from omkt_pipeline.domain.task import Pool, TaskState
from omkt_pipeline.queue.adding import add_outputs
from omkt_pipeline.queue.audit import audit_rows
from omkt_pipeline.queue.inputs import Inputs
from omkt_pipeline.queue.jobs import cancel, submit
from omkt_pipeline.queue.overview import job_by_key
from omkt_pipeline.queue.repeat import request_again
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.queue.sources import NewMedia
from omkt_pipeline.testing import a_job, a_plan, a_planned_job, a_settlement, an_account, take, taken


def repeated(database: Database, account: int, key: str, idempotency_key: str | None = None) -> str:
    request = request_again(database, account, key, idempotency_key)
    return submit(database, account, request, NewMedia()).job_key


def finish(database: Database) -> None:
    while (held := take(database, Pool.TRANSCODER)) is not None:
        settle(database, held, a_settlement(held))


def test_all_is_made_once_more_beside_what_was_made(database: Database, account: int) -> None:
    key = a_planned_job(database, account, a_plan(encodes=2))
    finish(database)

    second = repeated(database, account, key)

    assert task_states(database, second) == {"plan": TaskState.READY}
    plan = taken(database, Pool.METADATA)
    assert Inputs(database).made_of(plan) == {}
    settle(database, plan, a_settlement(plan, plan=a_plan(encodes=2)))
    finish(database)
    assert (job_state(database, key), job_state(database, second)) == (JobState.SUCCEEDED, JobState.SUCCEEDED)
    first_output, second_output = (job_by_key(database, account, one).outputs[0] for one in (key, second))
    assert first_output.state == second_output.state == "published"
    assert audit_rows(database) == []


def test_it_asks_for_what_was_asked_for_and_added(database: Database, account: int) -> None:
    teaser = Variation(id="teaser", preset="mp4-720p", settings={"video": {"fps": 25}})
    callback = Callback(url="https://example.org/hook", types=("job.failed",))
    key = a_job(
        database,
        account,
        path="film.mov",
        presets=("ladder", teaser),
        priority=Priority.HIGH,
        callback=callback,
        client_data="mine",
        tags=("a", "b"),
        first="teaser",
    )
    add_outputs(database, account, key, ["audio-aac"])
    cancel(database, account, key)

    again = request_again(database, account, key, None)

    assert (again.source.kind, again.presets) == (SourceKind.MEDIA, ("ladder", teaser, "audio-aac"))
    assert (again.priority, again.callback) == (Priority.HIGH, callback)
    assert (again.client_data, again.tags, again.first) == ("mine", ("a", "b"), "teaser")


def test_one_key_makes_one_job(database: Database, account: int) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1))
    finish(database)

    assert repeated(database, account, key, "again") == repeated(database, account, key, "again") != key
    with pytest.raises(Conflict, match="different request") as refused:
        repeated(database, account, a_cancelled(database, account), "again")
    assert refused.value.code == "idempotency_mismatch"


def test_what_never_came_or_is_gone_is_fetched_again(database: Database, account: int) -> None:
    key = a_cancelled(database, account)
    assert set(task_states(database, repeated(database, account, key))) == {"fetch", "probe", "plan"}

    database.transact(lambda connection: connection.execute(update(media).values(state=MediaState.EXPIRED)))
    assert request_again(database, account, key, None).source.kind is SourceKind.URL


def test_what_cannot_be_repeated_is_refused(database: Database, account: int) -> None:
    key = a_job(database, account, path="film.mov")
    with pytest.raises(Conflict, match="has not ended") as refused:
        repeated(database, account, key)
    assert refused.value.code == "job_open"

    cancel(database, account, key)
    database.transact(lambda connection: connection.execute(update(media).values(state=MediaState.EXPIRED)))
    with pytest.raises(Conflict, match="Submit its source again") as refused:
        repeated(database, account, key)
    assert refused.value.code == "source_expired"
    with pytest.raises(NotFound):
        repeated(database, an_account(database, "other"), key)


def a_cancelled(database: Database, account: int) -> str:
    key = a_job(database, account)
    cancel(database, account, key)
    return key
