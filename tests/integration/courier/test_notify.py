"""Webhooks over real sockets, checked with the specification's own library."""

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from omkt_api.guard import OutsidePolicy
from omkt_api.notify import Notifier, deliver
from omkt_api.outside import Outside
from omkt_pipeline.queue.outbox import DueMessage

Serve = Callable[..., Any]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def message(url: str, *, number: int = 1, tries: int = 0, secret: str = SECRET, **data: object) -> DueMessage:
    return DueMessage(
        id=number,
        message_id=f"msg_{number}",
        url=url,
        secret=secret,
        topic="job.succeeded",
        body={"type": "job.succeeded", "data": {"job": "j1", "name": "ü", **data}},
        tries=tries,
        token=b"t",
    )


def answer(status: str, **headers: object) -> Callable[[dict[str, str]], Iterable[bytes]]:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return lambda _: ["\r\n".join([f"HTTP/1.1 {status}", "Content-Length: 0", *lines, "", ""]).encode()]


class ListedOutbox:
    """Messages in a list, and what became of them."""

    def __init__(self, *messages: DueMessage) -> None:
        self.due = list(messages)
        self.delivered: list[int] = []
        self.failed: dict[int, tuple[int | None, float | None]] = {}

    def claim_due(self, *, limit: int, lease_seconds: float) -> list[DueMessage]:
        assert lease_seconds > 20
        taken, self.due = self.due[:limit], self.due[limit:]
        return taken

    def record_delivered(self, message: DueMessage, *, status: int, seconds: float) -> None:  # noqa: ARG002
        self.delivered.append(message.id)

    def record_failed(
        self,
        message: DueMessage,
        *,
        status: int | None,
        error: str,
        seconds: float,  # noqa: ARG002
        next_in_seconds: float | None,
    ) -> None:
        assert error
        self.failed[message.id] = (status, next_in_seconds)


def settle_all(outside: Outside, outbox: ListedOutbox) -> None:
    notifier = Notifier(outbox=outbox, outside=outside)
    while outbox.due:
        notifier.work_once()
    notifier.close()


def test_a_receiver_can_verify_what_it_got(outside: Outside, serve: Serve) -> None:
    server = serve(answer("204 No Content"))
    result = deliver(outside, message(server.url + "/hook?a=1"), datetime.now(UTC))
    assert (result.ok, result.status, result.error) == (True, 204, None)
    (request,) = server.requests
    assert (request[":method"], request[":path"]) == ("POST", "/hook?a=1")
    assert request["content-type"] == "application/json"
    assert Webhook(SECRET).verify(request[":body"], request)["data"]["name"] == "ü"


def test_a_second_try_has_the_same_id_and_its_own_time(outside: Outside, serve: Serve) -> None:
    server = serve(answer("500 Oops"))
    for when in (1_700_000_000, 1_700_000_005):
        deliver(outside, message(server.url), datetime.fromtimestamp(when, UTC))
    assert [one["webhook-id"] for one in server.requests] == ["msg_1", "msg_1"]
    assert [one["webhook-timestamp"] for one in server.requests] == ["1700000000", "1700000005"]


def test_a_redirect_is_a_failure_and_is_not_followed(outside: Outside, serve: Serve) -> None:
    elsewhere = serve(answer("200 OK"))
    result = deliver(outside, message(serve(answer("302 Found", Location=elsewhere.url)).url), datetime.now(UTC))
    assert (result.ok, result.status) == (False, 302)
    assert elsewhere.requests == []


def test_a_busy_receiver_says_when_to_come_back(outside: Outside, serve: Serve) -> None:
    result = deliver(outside, message(serve(answer("503 Busy", Retry_After=77)).url), datetime.now(UTC))
    assert (result.ok, result.slow_down, result.retry_after) == (False, True, 77.0)


def test_an_endless_answer_is_not_listened_to(outside: Outside, serve: Serve) -> None:
    def endless(_: dict[str, str]) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while True:
            yield b"x" * 65536

    assert deliver(outside, message(serve(endless).url), datetime.now(UTC)).ok


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "ftp://example.com/", "nonsense"]
)
def test_a_callback_into_the_house_is_refused_for_good(serve: Serve, url: str) -> None:
    server = serve(answer("200 OK"))
    outside = Outside(OutsidePolicy(allowed_ports=(server.port,)))
    result = deliver(outside, message(url.format(port=server.port)), datetime.now(UTC))
    assert (result.ok, result.status, result.gone) == (False, None, True)
    assert server.requests == []


def test_a_message_that_is_not_thin_is_not_sent(outside: Outside, serve: Serve) -> None:
    server = serve(answer("200 OK"))
    result = deliver(outside, message(server.url, padding="x" * 20_000), datetime.now(UTC))
    assert (result.ok, result.gone) == (False, True)
    assert server.requests == []


def test_every_due_message_is_settled_once(outside: Outside, serve: Serve) -> None:
    good, bad, gone = serve(answer("200 OK")), serve(answer("500 Oops")), serve(answer("410 Gone"))
    outbox = ListedOutbox(
        *(message(good.url, number=number) for number in range(20)),
        message(bad.url, number=20),
        message(bad.url, number=21, tries=99),
        message(gone.url, number=22),
        message(good.url, number=23, secret="whsec_"),
    )
    settle_all(outside, outbox)
    assert sorted(outbox.delivered) == list(range(20))
    assert {number: status for number, (status, _) in outbox.failed.items()} == {20: 500, 21: 500, 22: 410, 23: None}
    again = {number for number, (_, delay) in outbox.failed.items() if delay is not None}
    assert again == {20, 23}


def test_a_slow_receiver_does_not_hold_up_the_others(outside: Outside, serve: Serve) -> None:
    others_done = threading.Event()

    def slow(_: dict[str, str]) -> Iterator[bytes]:
        assert others_done.wait(15)
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    class Watching(ListedOutbox):
        def record_delivered(self, message: DueMessage, *, status: int, seconds: float) -> None:
            super().record_delivered(message, status=status, seconds=seconds)
            if len(self.delivered) == 30:
                others_done.set()

    outbox = Watching(
        message(serve(slow).url, number=99),
        *(message(serve(answer("200 OK")).url, number=number) for number in range(30)),
    )
    settle_all(outside, outbox)
    assert outbox.delivered[-1] == 99
