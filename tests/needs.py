"""What tests want of a machine: whether it is there, what brings it in, and how to install it.

python -m tests.needs    installs what a farm of several hosts needs (root, Debian or Ubuntu), or says what is missing
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.farm.lab.machine import PACKAGES, missing

ROOT = Path(__file__).resolve().parent.parent
_MAY_INSTALL = os.geteuid() == 0 and shutil.which("apt-get") is not None


@dataclass
class Need:
    """Something that tests want of the machine."""

    name: str
    there: Callable[[], bool]
    cure: str
    install: Callable[[], None] | None = None
    of_the_machine: bool = False  #: nobody can install it, so that nobody is to blame for what is left out without it

    def met(self, *, install: bool) -> bool:
        """Whether it is there, or there at last when `install` says that it may be installed."""
        if install and self.install is not None and _MAY_INSTALL and not self.there():
            print(f"-- installing {self.name}", flush=True)
            self.install()
        return self.there()


def apt(*packages: str) -> Callable[[], None]:
    """An installer of Debian packages that starts no service."""

    def install() -> None:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        policy = Path("/usr/sbin/policy-rc.d")
        ours = not policy.exists()
        if ours:
            policy.write_text("#!/bin/sh\nexit 101\n")
            policy.chmod(0o755)
        try:
            for words in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
                subprocess.run(
                    ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3", *words],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    check=False,
                )
        finally:
            if ours:
                policy.unlink()

    return install


def script(path: str) -> Callable[[], None]:
    return lambda: subprocess.run(["bash", str(ROOT / path)], stdin=subprocess.DEVNULL, check=False) and None


def answers(*command: str) -> bool:
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(command, stdin=quiet, stdout=quiet, stderr=quiet, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def has_mariadb() -> bool:
    return shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is not None


def has_engine() -> bool:
    return answers("docker", "version") and answers("docker", "compose", "version")


def has_tunnels() -> bool:
    """Whether one may be made: the device alone says nothing, where capabilities were taken away."""
    make_one = (
        "import fcntl, struct\n"
        "fcntl.ioctl(open('/dev/net/tun', 'rb+', 0), 0x400454CA, struct.pack('16sH', b'omkt-may', 0x1002))\n"  # TUNSETIFF
    )
    return answers("unshare", "--net", "--mount", sys.executable, "-c", make_one)


def has_images() -> bool:
    return all(answers("docker", "image", "inspect", image) for image in ("debian:trixie-slim", "mysql:9.7"))


MARIADB = Need("MariaDB", has_mariadb, "apt install mariadb-server", apt("mariadb-server"))
SYSTEM_FFMPEG = Need(
    "the distribution's ffmpeg", lambda: shutil.which("ffmpeg") is not None, "apt install ffmpeg", apt("ffmpeg")
)
CHROMIUM = Need("Chromium", lambda: Path("/usr/bin/chromium").exists(), "apt install chromium", apt("chromium"))
ENGINE = Need(
    "a Docker engine with Compose v2",
    has_engine,
    "install Docker, or as root on Debian: bash tests/images/engine.sh",
    script("tests/images/engine.sh"),
)
PROXIES = Need(
    "nginx and Caddy",
    lambda: all(shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin") for name in ("nginx", "caddy", "openssl")),
    "apt install nginx-light caddy openssl",
    apt("nginx-light", "caddy", "openssl"),
)
IMAGES = Need("the base images", has_images, "bash tests/images/build.sh", script("tests/images/build.sh"))
TUNNEL = Need(
    "a network for guests",
    has_tunnels,
    "root, /dev/net/tun and the right to make networks, which a machine has or has not",
    of_the_machine=True,
)
GUESTS = Need(
    "User-Mode Linux, for hosts with kernels of their own",
    lambda: not missing(),
    f"as root: apt install {' '.join(PACKAGES.values())}",
    apt(*PACKAGES.values()),
)

#: Of several hosts with kernels of their own; in the order in which they are installed.
FARM = (TUNNEL, GUESTS, ENGINE, IMAGES)


def main() -> int:
    """Make this machine fit for a farm; tell what it lacks."""
    missing = [need for need in FARM if not need.met(install=True)]
    for need in missing:
        print(f"{need.name} is missing: {need.cure}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
