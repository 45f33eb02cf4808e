"""The services of an embedded farm: how each is started, and with which environment. Pure but for the port."""

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from omkt_cli.farm.found import database_url
from omkt_cli.farm.place import Place
from omkt_cli.faults import Exit, Fault
from omkt_pipeline.media import confine

DEFAULT_PORT = 8080
_MODULES = {
    "api": "omkt_api",
    "courier": "omkt_api.courier",
    "metadata": "omkt_metadata",
    "transcoder": "omkt_transcoder",
}
#: What suits one machine, where a farm comes and goes; the environment may say otherwise.
_DEFAULTS = {
    "OMKT_SHARE_FREE_FLOOR": str(256 << 20),
    "OMKT_SCRATCH_FREE_FLOOR": str(256 << 20),
    "OMKT_LEASE_SECONDS": "20",
    "OMKT_BEAT_SECONDS": "4",
    "OMKT_POLL_SECONDS": "0.3",
    # Ctrl-C should not take long: what is given back costs nothing.
    "OMKT_GRACE_SECONDS": "3",
}
#: Of no use to a daemon here, or wrong for it: a port that four processes would share, keys for clients.
_DROPPED = (
    "OMKT_DATABASE_PASSWORD",
    "OMKT_METRICS_BIND",
    "OMKT_SERVER",
    "OMKT_KEY",
    "OMKT_FARM",
    "PYTHONPATH",
    "PYTHONHOME",
)


@dataclass(frozen=True, kw_only=True)
class Service:
    """One process of the farm."""

    name: str
    argv: tuple[str, ...]  #: without what ties it to its supervisor
    environment: Mapping[str, str]
    log: Path
    alive: Path | None  #: touched while its loops turn; the API has its own way to say so


def services(place: Place, port: int, environment: Mapping[str, str]) -> tuple[Service, ...]:
    """All services of the farm at `place`, in the order in which they are stopped."""
    root = place.root.resolve()
    kept = {name: value for name, value in environment.items() if name not in _DROPPED}
    common = {
        **_DEFAULTS,
        **kept,
        "OMKT_DATABASE_URL": database_url(place),
        "OMKT_SHARE_ROOT": str(root / place.share.name),
        "OMKT_LOG_FORMAT": "json",
        "OMKT_HTTP_PORT": str(port),
    }
    return tuple(
        Service(
            name=name,
            # -P: a file in the current folder must not pass for a module of ours.
            argv=(sys.executable, "-P", "-m", module),
            environment={
                **common,
                "OMKT_IDENTITY_FILE": str(root / "host-identity"),
                "OMKT_SCRATCH_ROOT": str(root / place.scratch.name / name),
                "OMKT_LIVENESS_FILE": str(root / place.run.name / f"{name}.alive"),
            },
            log=root / place.logs.name / f"{name}.log",
            alive=None if name == "api" else root / place.run.name / f"{name}.alive",
        )
        for name, module in _MODULES.items()
    )


def tied(argv: tuple[str, ...]) -> list[str]:
    """The command line that dies with this process, even if this is killed without a chance to tidy up."""
    return [sys.executable, "-I", "-S", confine.__file__, str(os.getpid()), "", "--", *argv]


def choose_port(place: Place, asked: int | None, environment: Mapping[str, str]) -> int:
    """The port that was asked for; else that of the last time; else 8080; else a free one. Raises Fault when taken."""
    if asked is None and environment.get("OMKT_HTTP_PORT"):
        try:
            asked = int(environment["OMKT_HTTP_PORT"])
        except ValueError:
            raise Fault("OMKT_HTTP_PORT must be a number.", Exit.USAGE) from None
    host = environment.get("OMKT_HTTP_HOST", "127.0.0.1")
    if asked:
        if _free(host, asked) is None:
            raise Fault(f"Port {asked} is taken by another program. Name another one with --port.", Exit.USAGE)
        return asked
    wishes = () if asked == 0 else (_last_port(place), DEFAULT_PORT)
    free = (_free(host, wish) for wish in (*wishes, 0) if wish is not None)
    chosen = next((port for port in free if port is not None), None)
    if chosen is None:
        raise Fault(f"No port of {host} can be listened on.", Exit.USAGE)
    return chosen


def _last_port(place: Place) -> int | None:
    try:
        return int(place.port_file.read_text())
    except (OSError, ValueError):
        return None


def _free(host: str, port: int) -> int | None:
    """The port that listening on `port` gives (0: any), or None when that is not possible."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            return int(probe.getsockname()[1])
        except (OSError, OverflowError):
            return None
