"""What this machine must have for guests, and how it comes by it."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

KERNEL = "linux.uml"
COMPILER = "gcc"
MODULES = Path("/usr/lib/uml/modules")
#: Command -> Debian's package.
_NEEDED = {
    KERNEL: "user-mode-linux",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "mke2fs": "e2fsprogs",
    COMPILER: "gcc",
}


class LabBroken(Exception):
    """Something of the lab itself does not work; the message says what, and what to do."""


class MissingHere(Exception):
    """This machine lacks what guests need; the message says what and how to get it."""


def run(*words: str, check: bool = True, seconds: float = 900) -> subprocess.CompletedProcess[str]:
    """Run a command on this machine.

    Raises:
        LabBroken: when it fails, with what it said, unless `check` is off.
    """
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=seconds)
    if check and done.returncode != 0:
        raise LabBroken(
            f"{' '.join(words[:6])} ended with {done.returncode}: {done.stdout[-1500:]}{done.stderr[-3000:]}"
        )
    return done


def missing() -> list[str]:
    """What stands in the way of guests here, in words; nothing when all is there."""
    lacks = [f"{command} (package {package})" for command, package in _NEEDED.items() if _path_of(command) is None]
    if os.geteuid() != 0:
        lacks.append("root, for a network namespace and the guests' disks")
    if not Path("/dev/net/tun").exists():
        lacks.append("/dev/net/tun")
    return lacks


def require() -> None:
    """Install what can be installed; raise MissingHere, in words, for the rest."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        install()
    if lacks := missing():
        raise MissingHere(
            "The farm of guests needs: " + ", ".join(lacks) + ". On Debian or Ubuntu it installs packages itself."
        )


def install() -> None:
    """Install Debian's packages that are missing. For root on Debian or Ubuntu."""
    packages = [package for command, package in _NEEDED.items() if _path_of(command) is None]
    if not packages:
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    patient: Sequence[str] = ("-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3")
    for words in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        subprocess.run(
            ["apt-get", *patient, *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=False,
        )


def _path_of(command: str) -> str | None:
    return shutil.which(command, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
