"""A public farm on this machine, a clients' site beside it, and two clients: ann, whose e-mail address is confirmed, and bob."""

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.integration.cli.farms import Up, clip, farm_up
from tests.wire.driver import Client, Site, until
from tests.wire.site import SiteServer, serving

#: The farm may reach the site's address and no other of the loopback. The site listens at the other one too, and remembers
#: who calls there: nobody may.
SITE_ADDRESS, FORBIDDEN_ADDRESS = "127.0.0.2", "127.0.0.1"
#: What makes a farm a public one, to which anybody may subscribe.
PUBLIC = {"OMKT_WIRE_PUBLIC": "true"}


@dataclass(frozen=True)
class Place:
    """Everything that a test of the wire needs."""

    farm: Up
    api: str
    site: Site
    server: SiteServer
    film: bytes
    neighbours: Iterator[int]

    def client(self, name: str) -> Client:
        """A client whose calls come from an address of its own."""
        return Client(self.api, name, self.site, source=f"127.0.1.{next(self.neighbours)}")

    def subscribed(self, name: str) -> Client:
        """A client who has confirmed an e-mail address."""
        client = self.client(name)
        client.subscribe(email=f"{name}@example.org")
        confirm(logs_below(self.farm.folder), f"{name}@example.org", self.api)
        return client

    def film_named(self, name: str) -> str:
        """The same film under another name, so that its faults are its own."""
        (self.server.memory.folder / name).write_bytes(self.film)
        return name


@contextmanager
def public_farm(folder: Path, films: Path) -> Iterator[Place]:
    film = clip(films)
    with serving(films, SITE_ADDRESS, FORBIDDEN_ADDRESS) as server:
        url = f"http://{SITE_ADDRESS}:{server.server_port}"
        settings = PUBLIC | {
            "OMKT_ALLOWED_NETWORKS": f"{SITE_ADDRESS}/32",
            "OMKT_ALLOWED_PORTS": str(server.server_port),
        }
        with farm_up(folder, **settings) as farm:
            yield Place(farm, api_of(folder), Site(url, url), server, film.read_bytes(), itertools.count(1))


def api_of(folder: Path) -> str:
    port = (folder / "var" / "farm" / "port").read_text().strip()
    return f"http://127.0.0.1:{port}/api"


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with public_farm(tmp_path_factory.mktemp("farm"), tmp_path_factory.mktemp("films")) as place:
        yield place


@pytest.fixture(scope="session")
def bob(place: Place) -> Client:
    """A client who has not confirmed an e-mail address."""
    client = place.client("bob")
    client.subscribe(email="bob@example.org")
    return client


@pytest.fixture(scope="session")
def ann(place: Place) -> Client:
    return place.subscribed("ann")


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """Ids of media as a client counts them."""
    return itertools.count(1000)


def confirm(logs: Callable[[], str], email: str, api: str) -> None:
    """Follow the link of the mail, which a farm without a mail server writes to its log, to the server that we reach."""

    def link() -> str | None:
        lines = [line for line in logs().splitlines() if email in line]
        found = [match[0] for line in lines if (match := re.search(r"https?://[^\s\"\\]+", line))]
        return found[-1] if found else None

    mailed = httpx.URL(until(link, f"the mail to {email}", seconds=30))
    reached = httpx.URL(api).copy_with(raw_path=mailed.raw_path)
    answer = httpx.get(reached, follow_redirects=True, timeout=10, trust_env=False)
    assert answer.status_code == 200, answer.text


def logs_below(folder: Path) -> Callable[[], str]:
    return lambda: "\n".join(log.read_text(errors="replace") for log in sorted(folder.rglob("*.log")))
