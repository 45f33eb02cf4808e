"""The guests' disk: Debian 13 with an NFS server and client, Docker and Compose, and this checkout's images loaded.

Built in stages, each kept under a name that says what it is made of: nothing is built twice, and a changed line of code
costs the last stage only. All guests share the result and write into copy-on-write files of their own.
"""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.farm.lab.guest import Guest
from tests.farm.lab.machine import MODULES, run
from tests.farm.lab.network import Network

_SUITE = "trixie"
_PACKAGES = (
    *("ca-certificates", "kmod", "iproute2", "iputils-ping", "netbase", "procps", "mount", "e2fsprogs", "quota"),
    *("nfs-common", "nfs-kernel-server", "rpcbind"),
    *("docker.io", "docker-cli", "docker-compose", "iptables"),
    *("curl", "openssh-client", "python3", "rsync"),
)
_GIGABYTES = 12
_GUEST = Path(__file__).parent / "guest"
_LOADER = Path(__file__).parent / "load-images.sh"
_NO_LOOP = 3  #: what it says when this machine has no loop devices


def with_images(cache: Path, images: tuple[str, ...]) -> Path:
    """The disk with these images of the outer engine in its own engine; built if it is not there."""
    ids = run("docker", "image", "inspect", "--format", "{{.Id}}", *images).stdout
    common = _stage(cache, "userland", _recipe(), _build_userland)

    def load(disk: Path) -> None:
        run("cp", "--sparse=always", str(common), str(disk))
        _load(cache, disk, images)

    return _stage(cache, "images", f"{common.name}\n{images}\n{ids}", load)


def _stage(cache: Path, name: str, recipe: str, build: Callable[[Path], None]) -> Path:
    disk = cache / f"{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.ext4"
    if not disk.exists():
        cache.mkdir(parents=True, exist_ok=True)
        for old in cache.glob(f"{name}-*"):
            old.unlink()
        part = disk.with_suffix(".part")
        print(f"-- farm: building {disk.name}", flush=True)
        build(part)
        part.rename(disk)
    return disk


def _recipe() -> str:
    kernel = sorted(path.name for path in MODULES.iterdir())
    return f"{_SUITE} {_PACKAGES} {kernel} {_GIGABYTES}\n{(_GUEST / 'init').read_text()}\n{_finish.__doc__}"


def _build_userland(disk: Path) -> None:
    root = disk.with_suffix(".root")
    shutil.rmtree(root, ignore_errors=True)
    mirror = run(
        "sh", "-c", "apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1"
    )
    where = [mirror.stdout.strip()] if mirror.stdout.strip() else []
    patient = ('--aptopt=Acquire::Retries "3"',)
    run(
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        *patient,
        f"--include={','.join(_PACKAGES)}",
        _SUITE,
        str(root),
        *where,
    )
    _finish(root)
    run("mke2fs", "-q", "-t", "ext4", "-d", str(root), str(disk), f"{_GIGABYTES}G")
    shutil.rmtree(root)


def _finish(root: Path) -> None:
    """Version 1: kernel modules, iptables as this kernel has it, init."""
    shutil.copytree(MODULES, root / "lib" / "modules", dirs_exist_ok=True)
    for version in MODULES.iterdir():
        run("chroot", str(root), "/sbin/depmod", version.name)
    for name in ("iptables", "ip6tables"):
        run("chroot", str(root), "update-alternatives", "--set", name, f"/usr/sbin/{name}-legacy")
    (root / "init").unlink(missing_ok=True)
    shutil.copy(_GUEST / "init", root / "init")
    (root / "init").chmod(0o755)
    (root / "etc" / "resolv.conf").unlink(missing_ok=True)
    (root / "etc" / "resolv.conf").write_text("")


def _load(cache: Path, disk: Path, images: tuple[str, ...]) -> None:
    """Give the disk's own engine the images: here, where there are loop devices, or else in a guest, which is slow."""
    place = cache / "mounted"
    place.mkdir(exist_ok=True)
    here = subprocess.run(
        ["unshare", "--mount", "--net", "bash", str(_LOADER), str(disk), str(place), *images], check=False
    )
    place.rmdir()
    if here.returncode == _NO_LOOP:
        _load_in_a_guest(cache, disk, images)
    else:
        here.check_returncode()


def _load_in_a_guest(cache: Path, disk: Path, images: tuple[str, ...]) -> None:
    lab = cache / "loading"
    shutil.rmtree(lab, ignore_errors=True)
    lab.mkdir()
    run("cp", "-r", str(_GUEST), str(lab))
    run("docker", "save", "--output", str(lab / "images.tar"), *images)
    network = Network.of(lab)
    network.make()
    loader = Guest(lab, network, "loader", 1, megabytes=2048, backing=disk)
    try:
        loader.boot(writable_backing=True)
        loader.sh("until docker version; do sleep 0.5; done", seconds=180)
        loader.run("docker", "load", "--input", "/lab/images.tar", seconds=1500)
        # the engine's own state must be on the disk before it is copied on write
        loader.sh("pkill dockerd; while pidof dockerd containerd; do sleep 0.2; done; sync", check=False)
        loader.shut_down()
    finally:
        loader.kill()
        network.remove()
        shutil.rmtree(lab, ignore_errors=True)
