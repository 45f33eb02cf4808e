"""Promise 5: a webhook is written exactly when its transition is, and carries one id however often it is sent."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update
from tests.contract.looking import count

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import delivery, outbox
from omkt_pipeline.db.types import now_plus
from omkt_pipeline.domain.errors import Conflict, SourceError
from omkt_pipeline.domain.job import Callback
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.giveback import fail
from omkt_pipeline.queue.jobs import cancel, retry
from omkt_pipeline.queue.outbox import DueMessage, claim_due, record_delivered, record_failed
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.testing import a_job, a_plan, a_planned_job, a_settlement, taken


def due(database: Database, *, lease_seconds: float = 60) -> list[DueMessage]:
    return claim_due(database, limit=10, lease_seconds=lease_seconds)


def test_a_job_that_succeeds_says_so_once(database: Database, account: int) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1), client_data="mine")
    assert due(database) == []
    for _ in range(2):
        held = taken(database, Pool.TRANSCODER)
        settle(database, held, a_settlement(held))

    (message,) = due(database)
    assert (message.topic, message.url) == ("job.succeeded", "https://example.com/hook")
    assert message.body["data"]["job"] == key
    assert message.body["data"]["client_data"] == "mine"
    assert message.secret.startswith("whsec_")


def test_a_callback_hears_of_the_types_that_it_names_alone(database: Database, account: int) -> None:
    names = ("output.published", "job.failed")
    a_planned_job(database, account, a_plan(encodes=1), callback=Callback(url="https://example.com/hook", types=names))
    for _ in range(2):
        held = taken(database, Pool.TRANSCODER)
        settle(database, held, a_settlement(held))

    (message,) = due(database)
    assert (message.topic, message.body["data"]["output"]) == ("output.published", "film")


def test_failing_and_cancelling_say_so_with_the_reason(database: Database, account: int) -> None:
    a_job(database, account)
    fail(database, taken(database, Pool.COURIER), SourceError("Broken.", code="broken"), host="alpha")
    cancel(database, account, a_job(database, account))

    failed, cancelled = due(database)
    assert failed.topic == "job.failed"
    assert failed.body["data"]["error"] == {"code": "broken", "message": "Broken."}
    assert cancelled.topic == "job.cancelled"


def test_what_does_not_happen_is_not_told(database: Database, account: int) -> None:
    key = a_job(database, account)
    cancel(database, account, key)
    cancel(database, account, key)
    retry(database, account, key)
    with pytest.raises(Conflict):
        retry(database, account, key)

    assert count(database, outbox) == 1


def test_each_change_of_a_job_has_its_own_id_and_number(database: Database, account: int) -> None:
    key = a_job(database, account)
    for _ in range(3):
        cancel(database, account, key)
        retry(database, account, key)

    messages = due(database)
    assert [message.body["data"]["sequence"] for message in messages] == [1, 2, 3]
    assert len({message.message_id for message in messages}) == 3


def test_a_client_that_wants_no_callback_gets_none(database: Database, account: int) -> None:
    cancel(database, account, a_job(database, account, callback=None))

    assert count(database, outbox) == 0


def test_senders_that_race_take_each_message_once(database: Database, account: int) -> None:
    for _ in range(10):
        cancel(database, account, a_job(database, account))
    together = threading.Barrier(4)

    def send() -> list[DueMessage]:
        together.wait()
        return claim_due(database, limit=10, lease_seconds=60)

    with ThreadPoolExecutor(4) as threads:
        shares = [future.result() for future in [threads.submit(send) for _ in range(4)]]
    ids = [message.id for share in shares for message in share] + [message.id for message in due(database)]
    assert len(ids) == len(set(ids)) == 10


def test_a_message_is_sent_again_with_the_same_id_until_it_is_delivered(database: Database, account: int) -> None:
    cancel(database, account, a_job(database, account))
    (first,) = due(database)
    record_failed(database, first, status=500, error="x" * 999, seconds=0.1, next_in_seconds=0)

    (second,) = due(database)
    assert (second.message_id, second.body, second.tries) == (first.message_id, first.body, 1)
    record_delivered(database, second, status=200, seconds=0.1)

    assert due(database) == []
    assert count(database, delivery) == 2


def test_a_message_whose_sender_died_is_due_again(database: Database, account: int) -> None:
    cancel(database, account, a_job(database, account))
    (dead,) = due(database, lease_seconds=60)
    assert due(database) == []
    database.transact(lambda connection: connection.execute(update(outbox).values(run_at=now_plus(-1))))

    (again,) = due(database)
    record_delivered(database, dead, status=200, seconds=0.1)

    assert count(database, delivery) == 0  # the dead sender's word does not count any more
    record_delivered(database, again, status=200, seconds=0.1)
    assert count(database, delivery) == 1


def test_a_message_is_given_up_when_told_so(database: Database, account: int) -> None:
    cancel(database, account, a_job(database, account))
    (message,) = due(database)

    record_failed(database, message, status=410, error="gone", seconds=0.1, next_in_seconds=None)

    assert due(database) == []
