"""The media of an account, jobs on what is there, and jobs with times, another priority and webhooks to look at."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.contract.looking import job_state

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.effects import Measured, Planned, Settlement
from omkt_pipeline.domain.errors import Conflict, NotFound, Refused
from omkt_pipeline.domain.job import JobState, MediaState, Priority, Source, SourceKind
from omkt_pipeline.domain.plan import Plan
from omkt_pipeline.domain.task import Pool, TaskKind
from omkt_pipeline.queue.audit import audit_rows
from omkt_pipeline.queue.deadlines import enforce_deadlines
from omkt_pipeline.queue.deliveries import messages_of, replay
from omkt_pipeline.queue.jobs import cancel
from omkt_pipeline.queue.media import delete_media, media_by_key, media_page
from omkt_pipeline.queue.outbox import MessageState, claim_due, record_failed
from omkt_pipeline.queue.overview import job_by_key, published_output
from omkt_pipeline.queue.priority import prioritise
from omkt_pipeline.queue.rescue import promote
from omkt_pipeline.queue.retention import removable_media, sweepable
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.testing import a_job, a_plan, a_planned_job, a_settlement, an_account, take, taken


def media_of(database: Database, account: int, job_key: str) -> str:
    known = job_by_key(database, account, job_key).media
    assert known is not None
    return str(known["key"])


def a_finished_job(database: Database, account: int) -> str:
    key = a_planned_job(database, account, a_plan(encodes=1))
    for _ in range(2):
        held = taken(database, Pool.TRANSCODER)
        settle(database, held, a_settlement(held))
    return key


def from_now(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_a_job_on_a_probed_media_is_planned_at_once(database: Database, account: int) -> None:
    media = media_of(database, account, a_finished_job(database, account))
    again = a_job(database, account, source=Source(kind=SourceKind.MEDIA, value=media))
    held = taken(database, Pool.METADATA)
    assert (held.kind, held.job_key) == (TaskKind.PLAN, again)
    assert media_of(database, account, again) == media


def test_a_media_that_is_still_fetched_and_one_of_others_are_refused(database: Database, account: int) -> None:
    expected = Source(kind=SourceKind.MEDIA, value=media_of(database, account, a_job(database, account)))
    with pytest.raises(Conflict):
        a_job(database, account, source=expected)
    with pytest.raises(NotFound):
        a_job(database, an_account(database, "other"), source=expected)


def test_media_are_listed_newest_first_and_pages_join(database: Database, account: int) -> None:
    keys = [media_of(database, account, a_job(database, account)) for _ in range(3)]
    a_job(database, an_account(database, "other"))
    first = media_page(database, account, limit=2)
    second = media_page(database, account, limit=2, before=first.next_before)
    assert [one.key for one in (*first.media, *second.media)] == keys[::-1]
    assert second.next_before is None
    with pytest.raises(Refused):
        media_page(database, account, limit=2, before="nothing")


def test_a_media_goes_with_its_results_and_only_when_no_job_is_open(database: Database, account: int) -> None:
    done = a_finished_job(database, account)
    media = media_of(database, account, done)
    waiting = a_job(database, account, source=Source(kind=SourceKind.MEDIA, value=media))
    with pytest.raises(Conflict):
        delete_media(database, account, media)
    with pytest.raises(NotFound):
        delete_media(database, an_account(database, "other"), media)
    cancel(database, account, waiting)

    delete_media(database, account, media)
    delete_media(database, account, media)

    assert {job_state(database, key) for key in (done, waiting)} == {JobState.EXPIRED}
    assert media_by_key(database, account, media).state is MediaState.EXPIRED
    assert {ended.job_key for ended in sweepable(database)} == {done, waiting}
    assert all(ended.kept == () for ended in sweepable(database))
    assert removable_media(database) == [], "what the operator put on the share is not the farm's"
    with pytest.raises(NotFound):
        published_output(database, done, "film")
    assert audit_rows(database) == []


def test_a_job_does_not_begin_before_its_time(database: Database, account: int) -> None:
    later = a_job(database, account, path="film.mov", not_before=from_now(3600))
    promote(database)
    assert take(database, Pool.METADATA) is None
    soon = a_job(database, account, path="film.mov", not_before=from_now(-1))
    promote(database)
    assert taken(database, Pool.METADATA).job_key == soon
    cancel(database, account, later)
    assert audit_rows(database) == []


def test_a_job_past_its_deadline_is_given_up_with_a_reason(database: Database, account: int) -> None:
    late = a_job(database, account, deadline=from_now(-1))
    in_time = a_job(database, account, deadline=from_now(3600))
    assert enforce_deadlines(database) == 1
    assert enforce_deadlines(database) == 0
    error = job_by_key(database, account, late).error
    assert error is not None
    assert error.code == "deadline_passed"
    assert job_state(database, in_time) is JobState.QUEUED


def test_a_job_of_higher_priority_overtakes(database: Database, account: int) -> None:
    first, second = (a_job(database, account, path="film.mov", tags=("a", "b")) for _ in range(2))
    prioritise(database, account, second, Priority.HIGH)
    assert taken(database, Pool.METADATA).job_key == second
    assert job_by_key(database, account, second).priority is Priority.HIGH
    assert job_by_key(database, account, second).tags == ("a", "b")
    cancel(database, account, first)
    with pytest.raises(Conflict):
        prioritise(database, account, first, Priority.LOW)
    with pytest.raises(NotFound):
        prioritise(database, an_account(database, "other"), second, Priority.LOW)


def test_a_webhook_that_was_given_up_can_be_sent_again_under_its_id(database: Database, account: int) -> None:
    key = a_job(database, account)
    cancel(database, account, key)
    (message,) = claim_due(database, limit=10, lease_seconds=60)
    with pytest.raises(Conflict):
        replay(database, account, key, message.message_id)
    record_failed(database, message, status=500, error="no", seconds=0.1, next_in_seconds=None)
    (seen,) = messages_of(database, account, key)
    assert seen.state is MessageState.GIVEN_UP
    assert [(one.status, one.error) for one in seen.deliveries] == [(500, "no")]

    replay(database, account, key, message.message_id)

    (again,) = claim_due(database, limit=10, lease_seconds=60)
    assert (again.message_id, again.tries) == (message.message_id, 0)
    other = an_account(database, "other")
    with pytest.raises(NotFound):
        messages_of(database, other, key)
    with pytest.raises(NotFound):
        replay(database, other, key, message.message_id)


def test_what_is_asked_to_be_measured_is_before_anything_else_is_done(database: Database, account: int) -> None:
    key = a_job(database, account, path="film.mov", presets=(), measure=True)
    settle(database, held := taken(database, Pool.METADATA), a_settlement(held))
    assert take(database, Pool.METADATA) is None

    held = taken(database, Pool.TRANSCODER)
    settle(database, held, Settlement(effect=Measured(measures={"scenes": [1.5]})))
    settle(database, taken(database, Pool.METADATA), Settlement(effect=Planned(plan=Plan(outputs=(), tasks=()))))

    view = job_by_key(database, account, key)
    assert view.state is JobState.SUCCEEDED
    assert view.media is not None
    facts = media_by_key(database, account, view.media["key"]).facts
    assert facts is not None
    assert (facts["container"], facts["measured"]) == ("mov", {"scenes": [1.5]})
