"""A worker process for fault tests: the real loop, with handlers that write what names their attempt, on a real share.

A package writes one file with the attempt's token in it, so that every byte that is visible tells who made it.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.effects import Encoded, Published, Settlement
from omkt_pipeline.domain.errors import Stopped
from omkt_pipeline.domain.task import Pool, TaskKind
from omkt_pipeline.queue import rescue
from omkt_pipeline.queue.farm import known_farm
from omkt_pipeline.queue.rescue import Rescuer, promote
from omkt_pipeline.storage import layout
from omkt_pipeline.storage.share import Share
from omkt_pipeline.worker import Chore, TaskContext, Worker, WorkerConfig


def go_on(_step: str) -> None:
    """The step that does nothing."""


def encode(context: TaskContext, slow_seconds: float) -> Settlement:
    """Take a while, looking at `stop` as a handler must."""
    if context.stop.wait(slow_seconds):
        raise Stopped
    return Settlement(effect=Encoded(facts={"by": context.task.token.hex()}))


def package(context: TaskContext, step: Callable[[str], None]) -> Settlement:
    """Publish one file on the share."""
    step("begun")
    made = context.scratch / "made"
    made.mkdir()
    (made / "film.mp4").write_bytes(context.task.token.hex().encode() * 100)
    output = str(context.task.spec["output"])
    folder = layout.result_folder(context.task, output)
    step("made")
    files = context.share.store(made, folder, on_bytes=lambda _: step("copying"))
    step("stored")
    return Settlement(effect=Published(output=output, entry="film.mp4", result={}), folder=folder, artifacts=files)


@dataclass(frozen=True, kw_only=True)
class Labour:
    """Where and how one worker works. `step` is called with a name at each step of publishing."""

    url: str
    root: Path
    scratch: Path
    host: str
    lease_seconds: float
    slow_seconds: float = 0.0
    max_losses: int = rescue.MAX_LOSSES
    step: Callable[[str], None] = go_on


def work(labour: Labour) -> None:
    """Work until stopped or killed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    rescue.MAX_LOSSES = labour.max_losses
    database = Database(labour.url)
    lease_seconds = labour.lease_seconds
    rescuer = Rescuer(database, lease_seconds=lease_seconds)
    config = WorkerConfig(
        host=labour.host,
        version="test",
        slots=2,
        threads=1,
        scratch_root=labour.scratch,
        scratch_free_floor=0,
        lease_seconds=lease_seconds,
        beat_seconds=lease_seconds / 4,
        grace_seconds=1.0,
        backoff_seconds=0.2,
        idle_poll_seconds=0.2,
        liveness_file=labour.scratch / f"alive-{time.monotonic_ns()}",
    )
    Worker(
        database=database,
        share=Share.mounted_at(labour.root, farm_id=known_farm(database).id),
        pool=Pool.TRANSCODER,
        handlers={
            TaskKind.ENCODE: lambda context: encode(context, labour.slow_seconds),
            TaskKind.PACKAGE: lambda context: package(context, labour.step),
        },
        config=config,
        chores=[
            Chore(name="rescue", every_seconds=lease_seconds / 4, run=rescuer.rescue),
            Chore(name="promote", every_seconds=0.25, run=lambda: promote(database)),
        ],
    ).run()
