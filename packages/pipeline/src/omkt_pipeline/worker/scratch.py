"""Scratch: a folder of its own for each worker of a host, and none for the dead.

Several daemons may share one scratch root. Each holds a lock on its folder, which the kernel lets go when the process
ends in whatever way; what is not locked belongs to nobody.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

_LOCK = ".lock"
_PREFIX = "worker-"


@contextmanager
def own_folder(root: Path) -> Iterator[Path]:
    """Remove what dead workers left below `root`, and yield an empty folder that is this worker's while the block runs.

    Raises OSError when `root` cannot be made or written.
    """
    root.mkdir(parents=True, exist_ok=True)
    # One at a time: nobody may take a folder that is made but not yet locked for one of a dead worker.
    with _locked(root):
        _remove_abandoned(root)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
        held = _try_lock(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            os.close(held)


def _remove_abandoned(root: Path) -> None:
    for folder in root.glob(f"{_PREFIX}*"):
        held = _try_lock(folder)
        if held is not None:
            log.info("removing what a dead worker left", event_code="scratch_removed", folder=folder.name)
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; wait for it."""
    with (folder / _LOCK).open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _try_lock(folder: Path) -> int | None:
    """The descriptor that holds the folder's lock until it is closed; None when another process holds it or removed it."""
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:  # gone meanwhile, or another user's
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
