"""An embedded farm around a command: started when it begins, stopped when it ends, however that is."""

import importlib.util
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from omkt_cli.client import FarmClient
from omkt_cli.farm.found import found
from omkt_cli.farm.journal import Journal
from omkt_cli.farm.lock import locked
from omkt_cli.farm.place import Place
from omkt_cli.farm.services import choose_port, services
from omkt_cli.farm.supervisor import Supervisor
from omkt_cli.faults import Exit, Fault

_READY_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_NEEDED = ("omkt_api", "omkt_metadata", "omkt_transcoder")


@dataclass(frozen=True, kw_only=True)
class EmbeddedFarm:
    """A farm that runs under this process."""

    url: str
    key: str
    supervisor: Supervisor
    journal: Journal


@contextmanager
def embedded_farm(
    place: Place, *, port: int | None = None, tell: Callable[[str], None] = lambda _: None
) -> Iterator[EmbeddedFarm]:
    """Run a farm at `place` while the block runs. `tell` hears what is being waited for. Raises Fault, AlreadyRunning."""
    _require_services()
    # SIGINT too: a shell that starts commands in the background hands it over as ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    place.prepare()
    chosen = choose_port(place, port, os.environ)
    host = os.environ.get("OMKT_HTTP_HOST", "127.0.0.1")
    url = local_url(host, chosen)
    with locked(place, url):
        tell("preparing the database")
        key = found(place)
        place.port_file.write_text(f"{chosen}\n")
        team = services(place, chosen, os.environ)
        supervisor = Supervisor(team, grace_seconds=float(team[0].environment["OMKT_GRACE_SECONDS"]))
        farm = EmbeddedFarm(
            url=url, key=key, supervisor=supervisor, journal=Journal({one.name: one.log for one in team})
        )
        try:
            supervisor.start()
            tell("starting the services")
            _wait_until_ready(farm)
            yield farm
        finally:
            supervisor.stop()


def local_url(host: str, port: int) -> str:
    """How this machine reaches a server that listens on `host`."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - looked up, not bound
    return f"http://{f'[{reached}]' if ':' in reached else reached}:{port}"


def _wait_until_ready(farm: EmbeddedFarm) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    with FarmClient(farm.url, farm.key) as client:
        while not (farm.supervisor.all_alive() and client.is_ready()):
            refused = farm.supervisor.refused()
            if refused is not None:
                raise refused
            if time.monotonic() > deadline:
                raise Fault(f"The farm did not get ready within {_READY_SECONDS:.0f} s; its logs say why.")
            time.sleep(_LOOK_SECONDS)


def _require_services() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise Fault(
            f"The embedded farm is not installed beside this omkt ({', '.join(missing)} missing). Run `make setup` in the "
            "project's folder and use its .venv/bin/omkt, or use a farm elsewhere with --server.",
            Exit.USAGE,
        )


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
