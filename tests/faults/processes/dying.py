"""The transcoder, killing itself at one step of publishing a result: `dying.py STEP`. Run as a program by the tests.

The daemon itself has no failpoints: one of its functions is wrapped here.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import omkt_pipeline.storage.share as storage
import omkt_pipeline.worker.attempt as worker
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.effects import Published, Settlement
from omkt_pipeline.domain.task import Artifact, Task
from omkt_pipeline.storage.layout import RESULTS
from omkt_transcoder.__main__ import main

_store, _write_synced, _settle = storage.Share.store, storage.write_synced, worker.settle


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before_the_copy() -> None:
    def store(share: storage.Share, source: Path, relative: str, **options: Any) -> tuple[Artifact, ...]:
        if relative.startswith(RESULTS):
            die()
        return _store(share, source, relative, **options)

    storage.Share.store = store  # type: ignore[method-assign]


def in_mid_copy() -> None:
    def write_synced(path: Path, source: BinaryIO, **options: Any) -> tuple[int, str]:
        is_result = RESULTS in path.parts
        if is_result and any(other.is_file() for other in path.parent.rglob("*")):
            path.write_bytes(source.read(100))
            die()
        return _write_synced(path, source, **options)

    storage.write_synced = write_synced


def after_the_rename() -> None:
    def store(share: storage.Share, source: Path, relative: str, **options: Any) -> tuple[Artifact, ...]:
        stored = _store(share, source, relative, **options)
        if relative.startswith(RESULTS):
            die()
        return stored

    storage.Share.store = store  # type: ignore[method-assign]


class _LastStatement(Database):
    """The database of a worker that dies after the last statement of its transaction."""

    def __init__(self, real: Database) -> None:
        self.__dict__ = real.__dict__

    def transact(self, work: Callable[..., Any], **options: Any) -> Any:
        return super().transact(lambda connection: (work(connection), die()), **options)


def before_the_commit() -> None:
    def settle(database: Database, held: Task, settlement: Settlement) -> None:
        publishes = isinstance(settlement.effect, Published)
        _settle(_LastStatement(database) if publishes else database, held, settlement)

    worker.settle = settle


def after_the_commit() -> None:
    def settle(database: Database, held: Task, settlement: Settlement) -> None:
        _settle(database, held, settlement)
        if isinstance(settlement.effect, Published):
            die()

    worker.settle = settle


STEPS = {
    step.__name__: step
    for step in (before_the_copy, in_mid_copy, after_the_rename, before_the_commit, after_the_commit)
}

if __name__ == "__main__":
    STEPS[sys.argv[1]]()
    main()
