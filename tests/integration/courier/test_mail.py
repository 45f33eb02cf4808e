"""Mails to clients, handed over to a real SMTP server; and without one, the log."""

import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from aiosmtpd.controller import Controller
from structlog.testing import capture_logs
from tests.servers.databases import clean_database

from omkt_api.wire.mail import Mailer
from omkt_pipeline.db.engine import Database
from omkt_pipeline.queue.outbox import DueMessage, claim_due
from omkt_pipeline.queue.wire import clients
from omkt_pipeline.settings import WireSettings

BASE = "https://transcoder.example"


class Box:
    """What an SMTP server took, or that it takes nothing."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        if self.refuses:
            return "451 try again later"
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        assert [mail["To"]] == envelope.rcpt_tos
        self.mails.append(mail)
        return "250 taken"


@pytest.fixture
def box() -> Iterator[tuple[Box, int]]:
    kept = Box()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(kept, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield kept, port
    finally:
        server.stop()


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Database]:
    with clean_database("sqlite", tmp_path) as database:
        yield database


def settings(port: int | None) -> WireSettings:
    if port is None:
        return WireSettings()
    return WireSettings(
        smtp_host="127.0.0.1", smtp_port=port, smtp_security="none", public_url=BASE, mail_from="farm@example.com"
    )


def subscribed(database: Database) -> DueMessage:
    clients.subscribe(database, email="ann@example.org", url="https://ann.example/api", app_key="x")
    (message,) = claim_due(database, limit=5, lease_seconds=60)
    return message


def link_of(mail: EmailMessage) -> str:
    text = mail.get_content()
    return next(line.strip() for line in text.splitlines() if "/users/validate/" in line)


def test_the_mails_link_confirms_the_address(farm: Database, box: tuple[Box, int]) -> None:
    kept, port = box

    result = Mailer(farm, settings(port), BASE).send(subscribed(farm))

    assert result.ok
    (mail,) = kept.mails
    assert (mail["From"], mail["To"]) == ("farm@example.com", "ann@example.org")
    assert "https://ann.example/api" in mail.get_content()
    link = link_of(mail)
    assert link.startswith(f"{BASE}/users/validate/")
    assert clients.confirm(farm, link.rsplit("/", 1)[1]) == "ann@example.org"


def test_a_server_that_will_not_is_asked_again_with_a_link_that_works(farm: Database, box: tuple[Box, int]) -> None:
    kept, port = box
    message, mailer = subscribed(farm), Mailer(farm, settings(port), BASE)
    kept.refuses = True
    refused = mailer.send(message)
    kept.refuses = False

    assert (refused.ok, refused.gone, refused.status) == (False, False, 451)
    assert mailer.send(message).ok
    assert clients.confirm(farm, link_of(kept.mails[0]).rsplit("/", 1)[1])


def test_a_server_that_is_away_is_a_failure_like_another(farm: Database) -> None:
    result = Mailer(farm, settings(9), BASE).send(subscribed(farm))

    assert (result.ok, result.gone) == (False, False)
    assert result.error


def test_without_a_server_the_link_is_in_the_log(farm: Database) -> None:
    with capture_logs() as told:
        assert Mailer(farm, settings(None), BASE).send(subscribed(farm)).ok

    (line,) = [one for one in told if one.get("event_code") == "mail"]
    assert line == {"event": "mail", "event_code": "mail", "to": "ann@example.org", "about": "validation",
                    "link": ANY, "log_level": "info"}  # fmt: skip
    assert clients.confirm(farm, line["link"].rsplit("/", 1)[1])


def test_a_link_is_never_written_where_mails_are_sent(farm: Database, box: tuple[Box, int]) -> None:
    with capture_logs() as told:
        assert Mailer(farm, settings(box[1]), BASE).send(subscribed(farm)).ok

    assert not [one for one in told if "validate" in str(one)]


def test_what_was_confirmed_meanwhile_is_not_mailed(farm: Database, box: tuple[Box, int]) -> None:
    message = subscribed(farm)
    (client,) = clients.all_clients(farm)
    token = clients.new_token(farm, client.account_id)
    assert token is not None
    clients.confirm(farm, token[0])

    assert Mailer(farm, settings(box[1]), BASE).send(message).gone
    assert box[0].mails == []
