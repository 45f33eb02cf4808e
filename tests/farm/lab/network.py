"""A network of their own for the guests: one namespace, one bridge, one tap for each guest. Nothing leaves it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tests.farm.lab.machine import run

_PREFIX = "10.99.0"
SUBNET = f"{_PREFIX}.0/24"


def address(number: int) -> str:
    """The address of the guest with this number, counted from 1."""
    return f"{_PREFIX}.{number}"


@dataclass(frozen=True)
class Network:
    """The network of one lab, named after the lab's folder so that labs do not meet."""

    namespace: str

    @classmethod
    def of(cls, folder: Path) -> "Network":
        return cls(f"omkt-farm-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}")

    def make(self) -> None:
        self.remove()
        run("ip", "netns", "add", self.namespace)
        run("ip", "-n", self.namespace, "link", "set", "lo", "up")
        run("ip", "-n", self.namespace, "link", "add", "farm", "type", "bridge")
        run("ip", "-n", self.namespace, "addr", "add", f"{_PREFIX}.254/24", "dev", "farm")
        run("ip", "-n", self.namespace, "link", "set", "farm", "up")

    def remove(self) -> None:
        run("ip", "netns", "del", self.namespace, check=False)

    def inside(self, *words: str) -> list[str]:
        """The command that runs a command in this network."""
        return ["ip", "netns", "exec", self.namespace, *words]

    def plug(self, tap: str) -> None:
        """Make a tap and put it on the bridge; one that is there stays."""
        run(*self.inside("ip", "tuntap", "add", "dev", tap, "mode", "tap"), check=False)
        run("ip", "-n", self.namespace, "link", "set", tap, "master", "farm", "up")

    def cut(self, tap: str) -> None:
        """Pull the cable out of the switch. The guest's own end stays up: its driver does not get over an end that goes down."""
        run("ip", "-n", self.namespace, "link", "set", tap, "nomaster")

    def join(self, tap: str) -> None:
        """Put the cable back."""
        run("ip", "-n", self.namespace, "link", "set", tap, "master", "farm", "up")
