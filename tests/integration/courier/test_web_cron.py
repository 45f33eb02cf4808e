"""Web-cron and the announcer over real sockets: every client in its minute, a slow one in nobody's way."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select
from tests.integration.courier.conftest import Request, ScriptedServer
from tests.servers.databases import clean_database

from omkt_api.outside import Outside
from omkt_api.wire.announcer import Announcement, announce
from omkt_api.wire.cron import WebCron
from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables.wire import wire_client
from omkt_pipeline.queue.wire import clients

Serve = Callable[..., ScriptedServer]
CLIENTS = 300
YES = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Database]:
    with clean_database("sqlite", tmp_path) as database:
        yield database


def a_client(database: Database, name: str, url: str) -> None:
    clients.subscribe(database, email=f"{name}@example.org", url=url, app_key=f"{name}-key", validated=True)


def asked(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request[":path"]).query).items()}


def called(database: Database) -> list[tuple[bool, bool]]:
    """For each client, whether it was called, and whether it answered."""
    question = select(wire_client.c.cron_at, wire_client.c.cron_ok_at).order_by(wire_client.c.account_id)
    rows = database.fetch(lambda connection: connection.execute(question).all())
    return [(row.cron_at is not None, row.cron_ok_at is not None) for row in rows]


def work(database: Database, outside: Outside) -> None:
    cron = WebCron(database, outside, parallel=100)
    cron.work_once()
    cron.close()


def test_a_client_is_called_with_its_secret_as_the_original_calls(
    farm: Database, outside: Outside, serve: Serve
) -> None:
    site = serve(lambda _: [YES])
    a_client(farm, "ann", f"{site.url}/api?site=1")

    work(farm, outside)

    (request,) = site.requests
    assert request[":method"] == "GET"
    assert asked(request) == {"site": "1", "app_key": "ann-key", "action": "transcoder_cron"}
    assert request["user-agent"].startswith("OpenMediaKit-Transcoder/")
    assert called(farm) == [(True, True)]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        b"",
    ],
    ids=["error", "redirect", "silence"],
)
def test_anything_but_200_is_a_failure_and_a_redirect_is_not_followed(
    farm: Database, outside: Outside, serve: Serve, answer: bytes
) -> None:
    site = serve(lambda _: [answer])
    a_client(farm, "ann", f"{site.url}/api")

    work(farm, outside)

    assert len(site.requests) == 1
    assert called(farm) == [(True, False)]


def test_three_hundred_clients_are_called_and_one_that_hangs_is_in_nobodys_way(
    farm: Database, outside: Outside, serve: Serve
) -> None:
    release = threading.Event()

    def script(request: Request) -> Iterator[bytes]:
        if asked(request)["app_key"] == "c0-key":
            release.wait(60)
        yield YES

    site = serve(script)
    for number in range(CLIENTS):
        a_client(farm, f"c{number}", f"{site.url}/api")
    cron = WebCron(farm, outside, parallel=100)
    try:
        while sum(answered for _, answered in called(farm)) < CLIENTS - 1:
            cron.work_once()
            threading.Event().wait(0.05)
        cron.work_once()
    finally:
        release.set()
        cron.close()

    assert called(farm) == [(True, True)] * CLIENTS
    keys = [asked(request)["app_key"] for request in site.requests]
    assert sorted(keys) == sorted(f"c{number}-key" for number in range(CLIENTS)), "each once"


def test_a_discovery_service_hears_who_and_where_we_are(outside: Outside, serve: Serve) -> None:
    service = serve(lambda _: [YES])
    told = Announcement(to=f"{service.url}/", name="ours", url="https://t.example/api", email="op@t.example")

    announce(outside, told)

    said = asked(service.requests[0])
    assert said.pop("version")
    assert said == {
        "action": "transcoder_is_available",
        "name": "ours",
        "url": "https://t.example/api",
        "email": "op@t.example",
        "application": "omkt",
    }


def test_a_discovery_service_that_is_away_harms_nobody(outside: Outside) -> None:
    announce(outside, Announcement(to="http://127.0.0.1:9/", name="n", url="u", email="e"))
