"""One farm on one folder at a time. The lock dies with its process, however that ends."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from omkt_cli.farm.place import Place
from omkt_cli.faults import Fault


@dataclass(frozen=True, kw_only=True)
class RunningFarm:
    """A farm that holds its lock."""

    pid: int
    url: str


class AlreadyRunning(Fault):
    """Another process runs a farm on this folder."""

    def __init__(self, root: Path, running: RunningFarm | None) -> None:
        self.running = running
        who = f"process {running.pid}, {running.url}" if running else "it is just starting"
        super().__init__(
            f"A farm runs on {root} already ({who}). Use it (`omkt submit FILE`), stop it, or name another folder "
            "with --root."
        )


@contextmanager
def locked(place: Place, url: str) -> Iterator[None]:
    """Hold the place, and say in the lock who does. Raises AlreadyRunning."""
    descriptor = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(place.root, _read(descriptor)) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "url": url}).encode() + b"\n", 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def running_farm_of(place: Place) -> RunningFarm | None:
    """The farm that holds this place now, if one does."""
    try:
        descriptor = os.open(place.lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # Shared, so that two who only look do not take each other for a farm.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> RunningFarm | None:
    try:
        found = json.loads(os.pread(descriptor, 4096, 0))
        return RunningFarm(pid=int(found["pid"]), url=str(found["url"]))
    except (ValueError, KeyError, TypeError):
        return None
