"""What this machine must have for guests."""

import os
import shutil
import subprocess
from pathlib import Path

KERNEL = "linux.uml"
COMPILER = "gcc"
MODULES = Path("/usr/lib/uml/modules")
#: Command -> Debian's package.
PACKAGES = {
    KERNEL: "user-mode-linux",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "taskset": "util-linux",
    "mke2fs": "e2fsprogs",
    COMPILER: "gcc",
}


class LabBroken(Exception):
    """Something of the lab itself does not work; the message says what, and what to do."""


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
    lacks = [f"{command} (package {package})" for command, package in PACKAGES.items() if _path_of(command) is None]
    if os.geteuid() != 0:
        lacks.append("root, for a network namespace and the guests' disks")
    if not Path("/dev/net/tun").exists():
        lacks.append("/dev/net/tun")
    return lacks


def _path_of(command: str) -> str | None:
    return shutil.which(command, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
