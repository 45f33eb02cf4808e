"""Which farm a command speaks to, and with which key."""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from omkt_cli.farm.lock import running_farm_of
from omkt_cli.farm.place import Place
from omkt_cli.faults import Exit, Fault


@dataclass(frozen=True, kw_only=True)
class Address:
    """A farm and a key to it."""

    server: str
    key: str | None
    #: A farm on this machine whose supervisor lives: what does not answer now is being started again.
    is_kept_up: bool = False


def find_address(server: str | None, key: str | None, root: Path) -> Address:
    """What was given on the command line or by environment; else the configuration file; else the farm under `root`.

    The embedded farm's own key is sent to that farm alone. Raises Fault with what can be done when there is none.
    """
    configured = _configuration()
    server = server or configured.get("server")
    place = Place(root)
    embedded = running_farm_of(place)
    if server is None:
        if embedded is None:
            raise Fault(
                f"No farm runs on {root}, and no server was named. Start one with `omkt up` in another terminal, or "
                "name one with --server or OMKT_SERVER.",
                Exit.UNREACHABLE,
            )
        server = embedded.url
    is_embedded = embedded is not None and server.rstrip("/") == embedded.url
    if key is None and is_embedded:
        key = place.key()
    return Address(server=server, key=key or configured.get("key"), is_kept_up=is_embedded)


def configuration_file() -> Path:
    """~/.config/omkt/config.toml, or where XDG_CONFIG_HOME says. It may hold `server` and `key`."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "omkt" / "config.toml"


def _configuration() -> dict[str, str]:
    path = configuration_file()
    try:
        found = tomllib.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise Fault(f"{path} cannot be read: {error}.", Exit.USAGE) from error
    return {name: value for name, value in found.items() if name in ("server", "key") and isinstance(value, str)}
