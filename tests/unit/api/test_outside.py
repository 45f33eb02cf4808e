"""Whatever the URL, whatever the resolver says: no connection goes to an address that is not public."""

import contextlib
import socket
import ssl
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import httpcore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omkt_api.connecting import Unanswered, Watch
from omkt_api.guard import OutsidePolicy
from omkt_api.outside import Outside, retry_after
from omkt_pipeline.domain.errors import FetchError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PUBLIC = "93.184.216.34"


class RecordedStream(httpcore.MockStream):
    """A connection to `peer` that answers what it was given."""

    def __init__(self, peer: str, answer: bytes) -> None:
        super().__init__([answer])
        self._peer = peer

    def get_extra_info(self, info: str) -> Any:
        return (self._peer, 80) if info == "server_addr" else super().get_extra_info(info)


class RecordingWire(httpcore.NetworkBackend):
    """Connects to nothing and remembers where it should have."""

    def __init__(self, *answers: bytes, peer: str | None = None, dead: Iterable[str] = ()) -> None:
        self.connected: list[str] = []
        self._answers = list(answers)
        self._peer = peer
        self._dead = set(dead)

    def connect_tcp(
        self,
        host: str,
        port: int,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Any = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        self.connected.append(host)
        if host in self._dead:
            raise httpcore.ConnectError("dead")
        return RecordedStream(self._peer or host, self._answers.pop(0) if self._answers else OK)


class ScriptedResolver:
    """Answers from a list, the last one for ever; numbers in any notation as the system reads them."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except OSError:
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [str(one[4][0]) for one in found]


TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the scripted wire speaks none; loading certificates takes time


def outside_by(resolver: ScriptedResolver, wire: RecordingWire) -> Outside:
    return Outside(OutsidePolicy(), resolver=resolver, wire=wire, tls=TLS)


def redirect(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def status_of(outside: Outside, url: str, **headers: str) -> int:
    with outside.get(url, watch=Watch.for_seconds(30), headers=headers) as answer:
        assert b"".join(answer.blocks) is not None
        return answer.status


numbers = st.integers(0, 2**32 - 1)
octets = st.tuples(*[st.integers(0, 255)] * 4)
notations = st.one_of(
    numbers.map(str),
    numbers.map(hex),
    numbers.map(lambda number: "0" + oct(number)[2:]),
    octets.map(lambda four: ".".join(map(str, four))),
    octets.map(lambda four: ".".join(map(hex, four))),
    octets.map(lambda four: ".".join("0" + oct(one)[2:] for one in four)),
    octets.map(lambda four: f"{four[0]}.{(four[1] << 16) + (four[2] << 8) + four[3]}"),
    octets.map(lambda four: "[::ffff:" + ".".join(map(str, four)) + "]"),
    octets.map(lambda four: "[64:ff9b::" + ".".join(map(str, four)) + "]"),
    octets.map(lambda four: f"[2002:{four[0]:02x}{four[1]:02x}:{four[2]:02x}{four[3]:02x}::]"),
    st.ip_addresses(v=6).map(lambda one: f"[{one}]"),
    st.sampled_from(
        ["127.0.0.1", "127.1", "0", "2130706433", "0x7f.1", "017700000001", "169.254.169.254", "localhost"]
    ),
    st.from_regex(r"[a-z0-9-]{1,20}(\.[a-z]{2,5}){0,2}", fullmatch=True),
)
disguises = st.sampled_from(
    [
        "{}",
        "{}.",
        "{}..",
        "user@{}",
        "example.com@{}",
        "{}@example.com",
        "{}#@example.com",
        "{}%00",
        "{}\t",
        "example.com\\@{}",
        "{}:80",
        "{}:8080",
        "{}%23.example.com",
    ]
)
unicode_digits = st.sampled_from(
    ["0123456789", *("".join(chr(zero + digit) for digit in range(10)) for zero in (0xFF10, 0x0660, 0x1D7CE, 0x245F))]
)
addresses = st.one_of(
    st.ip_addresses().map(str),
    st.sampled_from(
        ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1", PUBLIC, "8.8.8.8"]
    ),
)


@given(
    host=notations,
    disguise=disguises,
    digits=unicode_digits,
    answers=st.lists(st.lists(addresses, max_size=3), min_size=1, max_size=3),
)
@settings(max_examples=500, deadline=None)
def test_no_generated_url_makes_a_connection_to_an_address_that_is_not_public(
    host: str, disguise: str, digits: str, answers: list[list[str]]
) -> None:
    wire = RecordingWire()
    outside = outside_by(ScriptedResolver(*answers), wire)
    dressed = disguise.format(host).translate(str.maketrans("0123456789", digits))
    with contextlib.suppress(FetchError, Unanswered):
        status_of(outside, f"http://{dressed}/film.mp4")
    for connected in map(ip_address, wire.connected):
        assert connected.is_global
        assert not connected.is_multicast
        assert not (connected.version == 6 and (connected.ipv4_mapped or connected.sixtofour or connected.teredo))


def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to() -> None:
    wire, resolver = RecordingWire(), ScriptedResolver([PUBLIC], ["127.0.0.1"])
    assert status_of(outside_by(resolver, wire), "http://media.example/a") == 200
    assert (resolver.asked, wire.connected) == (["media.example"], [PUBLIC])


def test_a_resolver_that_turns_private_later_is_refused_at_the_redirect() -> None:
    wire = RecordingWire(redirect("http://media.example/b"))
    outside = outside_by(ScriptedResolver([PUBLIC], ["127.0.0.1"]), wire)
    with pytest.raises(FetchError) as refused:
        status_of(outside, "http://media.example/a")
    assert refused.value.code == "source_address_refused"
    assert wire.connected == [PUBLIC]


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "//127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "file:///etc/passwd",
        "http://user@media.example/",
        "http://media.example:3306/",
    ],
)
def test_a_redirect_is_checked_like_the_first_url(location: str) -> None:
    wire = RecordingWire(redirect(location))
    with pytest.raises(FetchError) as refused:
        status_of(outside_by(ScriptedResolver([PUBLIC]), wire), "http://media.example/a")
    assert refused.value.code in ("source_address_refused", "source_url_invalid")
    assert wire.connected == [PUBLIC]


def test_three_redirects_are_followed_and_a_fourth_is_not() -> None:
    hops = [redirect(f"/{hop}") for hop in range(4)]
    outside = outside_by(ScriptedResolver([PUBLIC]), RecordingWire(*hops[:3]))
    assert status_of(outside, "http://media.example/a") == 200
    outside = outside_by(ScriptedResolver([PUBLIC]), RecordingWire(*hops))
    with pytest.raises(FetchError) as refused:
        status_of(outside, "http://media.example/a")
    assert refused.value.code == "source_redirects"


def test_https_is_never_left_for_http() -> None:
    wire = RecordingWire(redirect("http://media.example/a"))
    with pytest.raises(FetchError) as refused:
        status_of(outside_by(ScriptedResolver([PUBLIC]), wire), "https://media.example/a")
    assert refused.value.code == "source_redirects"


def test_credentials_stay_with_the_origin_they_were_meant_for() -> None:
    sent: list[bytes] = []

    class Listening(RecordedStream):
        def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
            sent.append(buffer)

    class ListeningWire(RecordingWire):
        def connect_tcp(self, host: str, *_: Any, **__: Any) -> httpcore.NetworkStream:
            return Listening(host, self._answers.pop(0))

    wire = ListeningWire(redirect("/same"), redirect("http://other.example/"), OK)
    outside = outside_by(ScriptedResolver([PUBLIC]), wire)
    assert status_of(outside, "http://media.example/a", Authorization="secret", Range="bytes=5-") == 200
    requests = b"".join(sent).split(b"GET ")[1:]
    assert [b"Authorization: secret" in one for one in requests] == [True, True, False]
    assert all(b"Range: bytes=5-" in one and b"Accept-Encoding: identity" in one for one in requests)


def test_a_connection_that_leads_elsewhere_than_was_checked_is_dropped() -> None:
    outside = outside_by(ScriptedResolver([PUBLIC]), RecordingWire(peer="127.0.0.1"))
    with pytest.raises(FetchError) as refused:
        status_of(outside, "http://media.example/a")
    assert refused.value.code == "source_address_refused"


def test_the_next_address_is_tried_when_one_is_dead() -> None:
    wire = RecordingWire(dead=["2606:4700::1111"])
    outside = outside_by(ScriptedResolver(["2606:4700::1111", PUBLIC]), wire)
    assert status_of(outside, "http://media.example/a") == 200
    assert wire.connected == ["2606:4700::1111", PUBLIC]


def test_a_server_that_nobody_reaches_may_be_tried_again() -> None:
    outside = outside_by(ScriptedResolver([PUBLIC]), RecordingWire(dead=[PUBLIC]))
    with pytest.raises(Unanswered) as failed:
        status_of(outside, "http://media.example/a")
    assert failed.value.retryable
    assert failed.value.code == "source_unreachable"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", None),
        ("soon", None),
        ("-5", None),
        ("120", 120.0),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, datetime(2026, 1, 1, tzinfo=UTC)) == seconds
