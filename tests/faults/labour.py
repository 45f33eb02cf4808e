"""A worker process for fault tests: the real loop, with handlers that write what names their attempt, on a real share.

    python -m tests.faults.labour DATABASE_URL SHARE SCRATCH LEASE_SECONDS HOST [SLOW_SECONDS]

A package writes one file with the attempt's token in it, so that every byte that is visible tells who made it.
"""

import sys
import time
from pathlib import Path

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.effects import Encoded, Published, Settlement
from omkt_pipeline.domain.errors import Stopped
from omkt_pipeline.domain.task import Pool, TaskKind
from omkt_pipeline.queue.farm import known_farm
from omkt_pipeline.queue.rescue import Rescuer, promote
from omkt_pipeline.storage import layout
from omkt_pipeline.storage.share import Share
from omkt_pipeline.worker import Chore, TaskContext, Worker, WorkerConfig


def encode(context: TaskContext, slow_seconds: float) -> Settlement:
    """Take a while, looking at `stop` as a handler must."""
    if context.stop.wait(slow_seconds):
        raise Stopped
    return Settlement(effect=Encoded(facts={"by": context.task.token.hex()}))


def package(context: TaskContext) -> Settlement:
    """Publish one file on the share."""
    made = context.scratch / "made"
    made.mkdir()
    (made / "film.mp4").write_bytes(context.task.token.hex().encode() * 100)
    output = str(context.task.spec["output"])
    folder = layout.result_folder(context.task, output)
    files = context.share.store(made, folder)
    return Settlement(effect=Published(output=output, entry="film.mp4", result={}), folder=folder, artifacts=files)


def main(url: str, root: str, scratch: str, lease: str, host: str, slow: str = "0") -> None:
    """Work until stopped or killed."""
    database = Database(url)
    lease_seconds = float(lease)
    rescuer = Rescuer(database, lease_seconds=lease_seconds)
    config = WorkerConfig(
        host=host,
        version="test",
        slots=2,
        threads=1,
        scratch_root=Path(scratch),
        scratch_free_floor=0,
        lease_seconds=lease_seconds,
        beat_seconds=lease_seconds / 4,
        grace_seconds=1.0,
        backoff_seconds=0.2,
        idle_poll_seconds=0.2,
        liveness_file=Path(scratch) / f"alive-{time.monotonic_ns()}",
    )
    Worker(
        database=database,
        share=Share.mounted_at(Path(root), farm_id=known_farm(database).id),
        pool=Pool.TRANSCODER,
        handlers={TaskKind.ENCODE: lambda context: encode(context, float(slow)), TaskKind.PACKAGE: package},
        config=config,
        chores=[
            Chore(name="rescue", every_seconds=lease_seconds / 4, run=rescuer.rescue),
            Chore(name="promote", every_seconds=0.25, run=lambda: promote(database)),
        ],
    ).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
