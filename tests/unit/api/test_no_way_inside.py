"""Hundreds of spellings of addresses that are not public: no connection is ever opened to one, whatever parses the URL."""

import itertools
import socket
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import httpcore
import pytest

from omkt_api.connecting import CheckedBackend, Watch
from omkt_api.guard import OutsidePolicy, check_url
from omkt_pipeline.domain.errors import FetchError

INSIDE_4 = (
    "127.0.0.1",
    "10.0.0.5",
    "172.16.3.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "198.18.0.7",
)
INSIDE_6 = ("::1", "fe80::1", "fd00:ec2::254", "fc00::1", "::", "ff02::1", "2001:db8::1")
PUBLIC = "93.184.216.34"


def notations(text: str) -> Iterator[str]:
    """Ways in which people, parsers and attackers write one IPv4 address."""
    address = IPv4Address(text)
    number, parts = int(address), [int(part) for part in text.split(".")]
    yield from (text, text + ".", str(number), hex(number), oct(number).replace("0o", "0"))
    yield ".".join(hex(part) for part in parts)
    yield ".".join(f"0{part:o}" for part in parts)
    yield ".".join(f"{part:03d}" for part in parts)
    yield f"{parts[0]}.{parts[1]}.{parts[2] * 256 + parts[3]}"
    yield f"{parts[0]}.{int.from_bytes(bytes(parts[1:]), 'big')}"
    yield text.translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})  # full-width digits
    yield text.replace(".", "\u3002")  # ideographic full stops
    yield f"[::ffff:{text}]"
    yield f"[::{text}]"
    yield f"[64:ff9b::{text}]"
    yield f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::]"
    yield f"[::ffff:0:{text}]"


def urls() -> Iterator[str]:
    hosts = [one for text in INSIDE_4 for one in notations(text)] + [f"[{one}]" for one in INSIDE_6]
    shapes = ("http://{}/", "https://{}/x", "http://{}:80/", "http://user@{}/", "http://public.example@{}/")
    yield from (shape.format(host) for shape, host in itertools.product(shapes, hosts))
    # Names that lead inside, at once or the second time they are asked for.
    yield from (f"http://n{index}.inside.example/" for index, _ in enumerate(INSIDE_4 + INSIDE_6))
    yield from (f"http://n{index}.mixed.example/" for index, _ in enumerate(INSIDE_4 + INSIDE_6))
    yield from (f"{scheme}://{PUBLIC}/" for scheme in ("ftp", "file", "gopher", "dict", "unix", "data", "jar"))
    yield from (f"http://{PUBLIC}:{port}/" for port in (22, 25, 3306, 6379, 9200, 11211))


def resolver(host: str, port: int) -> Sequence[str]:  # noqa: ARG001 - the shape of a resolver
    """As the system's: it reads every notation of an address as the address."""
    try:
        return [socket.inet_ntoa(socket.inet_aton(host))]
    except OSError:
        pass
    try:
        return [str(IPv6Address(host))]
    except ValueError:
        pass
    label, _, kind = host.partition(".")
    inside = (INSIDE_4 + INSIDE_6)[int(label[1:])] if label[1:].isdigit() else PUBLIC
    return {"inside.example": [inside], "mixed.example": [PUBLIC, inside]}.get(kind, [PUBLIC])


class Recording(httpcore.NetworkBackend):
    """Notes where a connection would go, and opens none."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        self.opened.append(host)
        raise httpcore.ConnectError(f"{host}:{port}")


def attempt(url: str) -> list[str]:
    """The addresses to which a fetch of this URL would have connected."""
    wire, policy = Recording(), OutsidePolicy()
    try:
        target = check_url(url, policy)
        CheckedBackend(policy=policy, resolver=resolver, wire=wire, watch=Watch.for_seconds(60)).connect_tcp(
            target.host, target.port
        )
    except (FetchError, httpcore.ConnectError):
        pass
    return wire.opened


def test_of_more_than_five_hundred_urls_none_leads_inside() -> None:
    tried = list(urls())
    assert len(set(tried)) >= 500
    led = {url: opened for url in tried if (opened := attempt(url))}
    inside = {url: opened for url, opened in led.items() if not all(ip_address(one).is_global for one in opened)}
    assert inside == {}
    assert len(led) < 60, (
        "what is refused is refused before a connection; only what is spelled like a public name goes out"
    )


@pytest.mark.parametrize("url", [f"http://{PUBLIC}/", "https://public.example/film.mov"])
def test_what_is_public_is_connected_to(url: str) -> None:
    assert attempt(url) == [PUBLIC]
