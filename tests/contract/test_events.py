"""What happened is told in order to everybody who wants to hear of it: listeners, endpoints, the job's own callback."""

import pytest
from sqlalchemy import select, update
from tests.contract.looking import count

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import event, outbox, webhook_endpoint
from omkt_pipeline.db.types import now_plus
from omkt_pipeline.domain.errors import Conflict, NotFound
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue import endpoints, feed
from omkt_pipeline.queue.audit import audit_rows
from omkt_pipeline.queue.jobs import cancel
from omkt_pipeline.queue.outbox import DueMessage, claim_due, record_delivered, record_failed
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.testing import a_job, a_plan, a_planned_job, a_settlement, an_account, taken

URL = "https://shop.example/all"


def due(database: Database) -> list[DueMessage]:
    return claim_due(database, limit=20, lease_seconds=60)


def made(database: Database, account: int) -> str:
    key = a_planned_job(database, account, a_plan(encodes=1))
    for _ in range(2):
        held = taken(database, Pool.TRANSCODER)
        settle(database, held, a_settlement(held))
    return key


def test_an_account_hears_of_all_its_jobs_in_order(database: Database, account: int) -> None:
    first = made(database, account)
    second = a_job(database, account)
    cancel(database, account, second)
    other = an_account(database, "other")
    cancel(database, other, a_job(database, other))

    happened = feed.after(database, account, 0)

    assert [(one.topic, one.body["job"]) for one in happened] == [
        ("output.published", first),
        ("job.succeeded", first),
        ("job.cancelled", second),
    ]
    assert happened[0].body["output"] == "film"
    assert feed.after(database, account, happened[1].id) == happened[2:]
    assert [one.id for one in feed.recent(database, seconds=60)][-1] > happened[-1].id
    assert audit_rows(database) == []


def test_an_endpoint_gets_what_it_asked_for_signed_with_its_own_secret(database: Database, account: int) -> None:
    everything, secret = endpoints.create_endpoint(database, account, url=URL, topics=())
    endpoints.create_endpoint(database, account, url=f"{URL}/ends", topics=("job.succeeded",))
    endpoints.create_endpoint(database, an_account(database, "other"), url=f"{URL}/other", topics=())
    made(database, account)

    told = due(database)

    assert sorted((one.url, one.topic) for one in told) == [
        ("https://example.com/hook", "job.succeeded"),
        (URL, "job.succeeded"),
        (URL, "output.published"),
        (f"{URL}/ends", "job.succeeded"),
    ]
    assert {one.secret for one in told if one.url == URL} == {secret}
    assert len({one.message_id for one in told}) == 4
    assert everything.enabled
    assert audit_rows(database) == []


def test_who_is_switched_off_or_deleted_hears_nothing(database: Database, account: int) -> None:
    off, _ = endpoints.create_endpoint(database, account, url=URL, topics=())
    gone, _ = endpoints.create_endpoint(database, account, url=f"{URL}/gone", topics=())
    endpoints.change_endpoint(database, account, off.key, enabled=False)
    cancel(database, account, a_job(database, account, callback=None))
    assert count(database, outbox) == 1

    endpoints.delete_endpoint(database, account, gone.key)

    assert due(database) == []
    assert endpoints.endpoints_of(database, account) == [endpoints.endpoint_of(database, account, off.key)]


def test_a_new_secret_signs_what_is_due_already(database: Database, account: int) -> None:
    made_one, old = endpoints.create_endpoint(database, account, url=URL, topics=())
    cancel(database, account, a_job(database, account, callback=None))

    new = endpoints.rotate_secret(database, account, made_one.key)

    (message,) = due(database)
    assert message.secret == new != old


def test_an_endpoint_that_takes_nothing_for_days_is_disabled_and_its_account_told(
    database: Database, account: int
) -> None:
    one, _ = endpoints.create_endpoint(database, account, url=URL, topics=())
    cancel(database, account, a_job(database, account, callback=None))
    (message,) = due(database)
    record_failed(database, message, status=500, error="no", seconds=0.1, next_in_seconds=0)
    assert endpoints.endpoint_of(database, account, one.key).failing_since is not None
    long_ago = update(webhook_endpoint).values(failing_since=now_plus(-endpoints.FAILING_SECONDS - 1))
    database.transact(lambda connection: connection.execute(long_ago) and None)

    (message,) = due(database)
    record_failed(database, message, status=500, error="no", seconds=0.1, next_in_seconds=None)

    assert not endpoints.endpoint_of(database, account, one.key).enabled
    (told,) = [one for one in feed.after(database, account, 0) if one.topic == "endpoint.disabled"]
    assert told.body == {"endpoint": one.key, "url": URL}
    again = endpoints.change_endpoint(database, account, one.key, enabled=True)
    assert (again.enabled, again.failing_since) == (True, None)


def test_one_success_makes_up_for_all_failures(database: Database, account: int) -> None:
    one, _ = endpoints.create_endpoint(database, account, url=URL, topics=())
    cancel(database, account, a_job(database, account, callback=None))
    (message,) = due(database)
    record_failed(database, message, status=500, error="no", seconds=0.1, next_in_seconds=0)

    (message,) = due(database)
    record_delivered(database, message, status=200, seconds=0.1)

    assert endpoints.endpoint_of(database, account, one.key).failing_since is None


def test_endpoints_are_bounded_and_their_owners_alone(database: Database, account: int) -> None:
    made_ones = [
        endpoints.create_endpoint(database, account, url=URL, topics=())[0] for _ in range(endpoints.MAX_ENDPOINTS)
    ]
    with pytest.raises(Conflict):
        endpoints.create_endpoint(database, account, url=URL, topics=())

    other = an_account(database, "other")
    for act in (
        lambda: endpoints.endpoint_of(database, other, made_ones[0].key),
        lambda: endpoints.rotate_secret(database, other, made_ones[0].key),
        lambda: endpoints.delete_endpoint(database, other, made_ones[0].key),
        lambda: endpoints.change_endpoint(database, other, made_ones[0].key, enabled=False),
    ):
        with pytest.raises(NotFound):
            act()


def test_events_are_kept_for_three_days(database: Database, account: int) -> None:
    for _ in range(2):
        cancel(database, account, a_job(database, account))
    first = database.fetch(
        lambda connection: connection.execute(select(event.c.id).order_by(event.c.id)).scalars().first()
    )
    old = update(event).where(event.c.id == first).values(created_at=now_plus(-feed.KEEP_SECONDS - 1))
    database.transact(lambda connection: connection.execute(old) and None)

    assert feed.forget_events(database) == 1
    assert [one.id for one in feed.after(database, account, 0)] != [first]
    assert count(database, event) == 1
