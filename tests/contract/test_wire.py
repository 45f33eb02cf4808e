"""The original's clients: an address is one account, a number is one media, a format is made once, and each is told of it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from tests.contract.looking import count, job_state

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job, media, outbox
from omkt_pipeline.db.tables.wire import wire_application, wire_client, wire_format
from omkt_pipeline.db.types import now, now_plus
from omkt_pipeline.domain.effects import Fetched, Planned, Probed, Settlement
from omkt_pipeline.domain.errors import Conflict, NotFound, Refused, SourceError
from omkt_pipeline.domain.job import Callback, CallbackKind, JobRequest, JobState, MediaState, Source, SourceKind
from omkt_pipeline.domain.plan import Plan
from omkt_pipeline.domain.task import Pool, Task
from omkt_pipeline.queue.audit import audit_rows
from omkt_pipeline.queue.giveback import fail
from omkt_pipeline.queue.outbox import claim_due
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.queue.sources import NewMedia
from omkt_pipeline.queue.wire import applications, clients, cron
from omkt_pipeline.queue.wire.clients import WireClient
from omkt_pipeline.queue.wire.media import find, formats_of, hand_over, order
from omkt_pipeline.queue.wire.telling import Alert, secret_for, telling_of
from omkt_pipeline.testing import a_plan, a_settlement, taken

FILM = "https://media.ann.example/film.mp4"
FACTS = {"container": "mov", "duration": 2.0, "bytes": 5}


@pytest.fixture
def ann(database: Database) -> WireClient:
    return a_client(database, "ann")


def a_client(database: Database, name: str, *, url: str = "https://media.ann.example/api") -> WireClient:
    key = clients.subscribe(database, email=f"{name}@example.org", url=url, app_key="secret", validated=True)
    return clients.client_of(database, key)


def change(database: Database, statement: Any) -> None:
    database.transact(lambda connection: connection.execute(statement) and None)


def given(database: Database, client: WireClient, number: int = 7, *, url: str = FILM) -> None:
    source = Source(kind=SourceKind.URL, value=url)
    request = JobRequest(source=source, presets=(), callback=Callback(url=client.url, kind=CallbackKind.WIRE))
    hand_over(database, client.account_id, number, request, NewMedia(), adapter="http")


def ordered(database: Database, client: WireClient, setting: int = 11, number: int = 7) -> None:
    found = find(database, client.account_id, number)
    source = Source(kind=SourceKind.MEDIA, value=found.media_key)
    request = JobRequest(
        source=source, presets=("omkt-video-240p-mp4",), callback=Callback(url=client.url, kind=CallbackKind.WIRE)
    )
    order(database, client.account_id, found, setting, request)


def done(database: Database, pool: Pool, effect: Any) -> Task:
    held = taken(database, pool)
    settle(database, held, Settlement(effect=effect))
    return held


def brought(database: Database) -> None:
    """The film is fetched, probed and known."""
    done(database, Pool.COURIER, Fetched(path="originals/x/1/original", bytes=5, sha256="0" * 64))
    done(database, Pool.METADATA, Probed(facts=FACTS, raw={}))
    done(database, Pool.METADATA, Planned(plan=Plan(tasks=(), outputs=(), decisions=())))


def made(database: Database) -> None:
    done(database, Pool.METADATA, Planned(plan=a_plan(encodes=1)))
    for _ in range(2):
        held = taken(database, Pool.TRANSCODER)
        settle(database, held, a_settlement(held))


def topics(database: Database) -> list[str]:
    return [message.topic for message in claim_due(database, limit=20, lease_seconds=60)]


def test_an_address_is_one_account_however_it_is_written(database: Database, ann: WireClient) -> None:
    with pytest.raises(Conflict):
        clients.subscribe(database, email="Ann@Example.org", url=ann.url, app_key="x")

    assert ann.may_work


def test_an_address_longer_than_an_accounts_name_is_one_account_too(database: Database) -> None:
    long = [f"{'x' * 60}{n}@example.org" for n in range(2)]

    for email in long:
        clients.subscribe(database, email=email, url="https://a.example", app_key="x")

    assert [one.email for one in clients.all_clients(database)] == long


def test_a_key_is_known_letter_by_letter(database: Database) -> None:
    key = clients.subscribe(database, email="ann@example.org", url="https://a.example", app_key="x")

    assert clients.client_of(database, key).email == "ann@example.org"
    with pytest.raises(Refused):
        clients.client_of(database, key.swapcase())
    stored = database.fetch(lambda connection: connection.execute(select(wire_client.c.key_sha256)).scalar_one())
    assert key not in stored


def test_who_subscribes_gets_a_mail_whose_newest_link_works_once(database: Database) -> None:
    clients.subscribe(database, email="ann@example.org", url="https://a.example", app_key="x")
    assert topics(database) == [clients.VALIDATE]
    (client,) = clients.all_clients(database)
    assert not client.may_work
    first, second = (clients.new_token(database, client.account_id) for _ in range(2))
    assert first is not None
    assert second is not None

    with pytest.raises(NotFound):
        clients.confirm(database, first[0])
    assert clients.confirm(database, second[0]) == "ann@example.org"

    assert clients.all_clients(database)[0].may_work
    with pytest.raises(NotFound):
        clients.confirm(database, second[0])
    assert clients.new_token(database, client.account_id) is None


def test_a_link_ends(database: Database) -> None:
    clients.subscribe(database, email="ann@example.org", url="https://a.example", app_key="x")
    (client,) = clients.all_clients(database)
    told = clients.new_token(database, client.account_id)
    assert told is not None
    change(database, update(wire_client).values(token_until=now_plus(-1)))

    with pytest.raises(NotFound):
        clients.confirm(database, told[0])


def test_a_media_is_brought_and_told_of_without_a_preset(database: Database, ann: WireClient) -> None:
    given(database, ann)
    assert not find(database, ann.account_id, 7).ready
    brought(database)

    assert find(database, ann.account_id, 7).ready
    (message,) = claim_due(database, limit=9, lease_seconds=60)
    assert message.topic == "wire.job.succeeded"
    telling = telling_of(database, message.body["data"]["job"])
    assert telling is not None
    assert (telling.remote_id, telling.setting, telling.alert, telling.facts) == (7, None, None, FACTS)
    assert audit_rows(database) == []


def test_a_number_is_one_media_whoever_is_first(database: Database, ann: WireClient) -> None:
    together = threading.Barrier(4)

    def hand(_: int) -> None:
        together.wait()
        given(database, ann)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(hand, range(4)))

    assert count(database, media) == 1
    assert count(database, job) == 1
    with pytest.raises(Conflict):
        given(database, ann, url="https://media.ann.example/other.mp4")
    assert count(database, media) == 1


def test_a_number_whose_media_failed_is_free(database: Database, ann: WireClient) -> None:
    given(database, ann)
    fail(database, taken(database, Pool.COURIER), SourceError("Gone.", code="source_http_404"), host="alpha")
    (message,) = claim_due(database, limit=9, lease_seconds=60)
    telling = telling_of(database, message.body["data"]["job"])
    assert telling is not None
    assert (telling.alert, telling.message) == (Alert.NOT_FETCHED, "Gone.")

    given(database, ann, url="https://media.ann.example/other.mp4")

    assert find(database, ann.account_id, 7).job_state is JobState.QUEUED
    assert telling_of(database, message.body["data"]["job"]) is None, "what was is not told of any more"


def test_what_expired_is_free_and_so_are_its_formats(database: Database, ann: WireClient) -> None:
    given(database, ann)
    brought(database)
    ordered(database, ann)
    change(database, update(media).values(state=MediaState.EXPIRED))

    given(database, ann)

    assert formats_of(database, find(database, ann.account_id, 7)) == {}


def test_a_format_is_made_once_and_told_of(database: Database, ann: WireClient) -> None:
    given(database, ann)
    brought(database)
    assert topics(database) == ["wire.job.succeeded"]
    ordered(database, ann)
    with pytest.raises(Conflict):
        ordered(database, ann)
    made(database)

    (message,) = claim_due(database, limit=9, lease_seconds=60)
    telling = telling_of(database, message.body["data"]["job"])
    assert telling is not None
    assert (telling.remote_id, telling.setting, telling.alert) == (7, 11, None)
    assert telling.made is not None
    found = formats_of(database, find(database, ann.account_id, 7))[11]
    assert (found.state, found.output_key) == (JobState.SUCCEEDED, "film")
    with pytest.raises(Conflict):
        ordered(database, ann)


def test_racing_orders_of_a_format_make_one_job(database: Database, ann: WireClient) -> None:
    given(database, ann)
    brought(database)
    together = threading.Barrier(4)

    def ask(_: int) -> bool:
        together.wait()
        try:
            ordered(database, ann)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ask, range(4))) == 1
    assert count(database, wire_format) == 1
    assert count(database, job) == 2


def test_a_format_that_failed_may_be_asked_for_again(database: Database, ann: WireClient) -> None:
    given(database, ann)
    brought(database)
    ordered(database, ann)
    fail(database, taken(database, Pool.METADATA), SourceError("No.", code="preset_impossible"), host="alpha")
    messages = claim_due(database, limit=9, lease_seconds=60)
    telling = telling_of(database, messages[-1].body["data"]["job"])
    assert telling is not None
    assert (telling.setting, telling.alert) == (11, Alert.NOT_MADE)

    ordered(database, ann)

    assert count(database, wire_format) == 1


def test_what_belongs_to_another_is_not_there(database: Database, ann: WireClient) -> None:
    given(database, ann)

    with pytest.raises(NotFound):
        find(database, a_client(database, "bob").account_id, 7)


def test_a_clients_secret_goes_to_its_own_host_alone(database: Database, ann: WireClient) -> None:
    given(database, ann)
    job_id = taken(database, Pool.COURIER).job_id

    assert secret_for(database, job_id, FILM) == "secret"
    assert secret_for(database, job_id, "https://elsewhere.example/film.mp4") is None
    assert secret_for(database, job_id + 1, FILM) is None


def test_who_is_disabled_stops_with_everything(database: Database, ann: WireClient) -> None:
    given(database, ann)

    clients.set_enabled(database, "ANN@example.org", enabled=False)

    state = database.fetch(lambda connection: connection.execute(select(job.c.state)).scalar_one())
    assert state == JobState.CANCELLED
    assert not clients.all_clients(database)[0].may_work
    assert cron.claim_due(database, limit=5) == []
    clients.set_enabled(database, "ann@example.org", enabled=True)
    assert [call.account_id for call in cron.claim_due(database, limit=5)] == [ann.account_id]
    with pytest.raises(NotFound):
        clients.set_enabled(database, "nobody@example.org", enabled=True)


def test_web_cron_calls_each_client_by_one_courier(database: Database) -> None:
    for number in range(20):
        a_client(database, f"c{number}")
    together = threading.Barrier(4)

    def look(_: int) -> list[int]:
        together.wait()
        return [call.account_id for call in cron.claim_due(database, limit=10)]

    with ThreadPoolExecutor(4) as pool:
        called = [one for found in pool.map(look, range(4)) for one in found]
    called += [call.account_id for call in cron.claim_due(database, limit=20)]

    assert len(called) == 20
    assert len(set(called)) == 20


@pytest.mark.parametrize(
    ("seen_days", "answered_days", "due_within"),
    [(0, 0, 60), (0, 8, 60), (10, 8, 1800), (40, 0, 1800), (40, 20, 1800), (40, 40, None)],
    ids=["lively", "down, but calls", "quiet and down", "silent", "silent and down", "given up"],
)
def test_web_cron_has_the_originals_tiers(
    database: Database, ann: WireClient, seen_days: float, answered_days: float, due_within: float | None
) -> None:
    (call,) = cron.claim_due(database, limit=5)
    old = {"validated_at": now_plus(-90 * 86400), "seen_at": now_plus(-seen_days * 86400 - 10)}
    change(database, update(wire_client).values(cron_ok_at=now_plus(-answered_days * 86400 - 10), **old))

    cron.record(database, call, ok=False, seconds=5.0)

    left = database.fetch(
        lambda connection: connection.execute(
            select(
                wire_client.c.cron_due_at.is_(None).label("never"),
                (wire_client.c.cron_due_at <= now_plus(due_within or 0)).label("by_then"),
                (wire_client.c.cron_due_at > now_plus((due_within or 0) - 30)).label("not_before"),
            )
        ).one()
    )
    if due_within is None:
        assert left.never
        assert ann.enabled
    else:
        assert (left.by_then, left.not_before) == (True, True)


def test_a_site_that_was_given_up_is_called_again_when_it_calls(database: Database) -> None:
    key = clients.subscribe(database, email="ann@example.org", url="https://a.example", app_key="x", validated=True)
    change(database, update(wire_client).values(cron_due_at=None))
    assert cron.claim_due(database, limit=5) == []

    clients.client_of(database, key)

    assert len(cron.claim_due(database, limit=5)) == 1


@pytest.mark.parametrize(("seen_days", "answered_days", "disabled"), [(63, 32, 1), (63, 30, 0), (61, 32, 0)])
def test_who_is_silent_and_cannot_be_reached_is_disabled_and_told(
    database: Database, ann: WireClient, seen_days: float, answered_days: float, disabled: int
) -> None:
    values = {"seen_at": now_plus(-seen_days * 86400), "cron_ok_at": now_plus(-answered_days * 86400)}
    change(database, update(wire_client).values(**values))

    assert clients.disable_inactive(database, silent_days=62, cron_failing_days=31) == disabled

    assert topics(database) == [clients.DISABLED] * disabled
    assert clients.all_clients(database)[0].enabled is not bool(disabled)
    assert ann.enabled


def test_programs_are_written_down_and_denied_by_version_or_wholly(database: Database) -> None:
    assert applications.admit(database, "kiosk", "1.0")
    assert applications.admit(database, "kiosk", "1.0")
    applications.deny(database, "kiosk", "1.0")
    assert not applications.admit(database, "kiosk", "1.0")
    assert applications.admit(database, "kiosk", "1.1")
    applications.deny(database, "kiosk")
    assert not applications.admit(database, "kiosk", "1.1")
    applications.deny(database, "kiosk", denied=False)

    assert applications.admit(database, "kiosk", "1.1")
    assert [(one.version, one.denied) for one in applications.applications(database)] == [
        ("*", False),
        ("1.0", True),
        ("1.1", False),
    ]


def test_the_register_is_bounded_and_invented_names_still_may_call(database: Database) -> None:
    rows = [
        {"name": f"app{n}", "version": "1", "denied": False, "seen_at": now()}
        for n in range(applications.MAX_APPLICATIONS)
    ]
    for row in rows[:1]:
        change(database, insert(wire_application).values(**row))
    change(
        database,
        insert(wire_application).values(
            [{"name": row["name"], "version": "1", "denied": False, "seen_at": now()} for row in rows[1:]]
        ),
    )

    assert applications.admit(database, "x" * 500, "9" * 500)

    assert count(database, wire_application) == applications.MAX_APPLICATIONS


def test_a_disabled_clients_account_keeps_the_queues_promises(database: Database, ann: WireClient) -> None:
    given(database, ann)
    held = taken(database, Pool.COURIER)
    clients.set_enabled(database, ann.email, enabled=False)

    assert job_state(database, held.job_key) is JobState.CANCELLED
    assert count(database, outbox) == 1
    assert audit_rows(database) == []
