"""latency: from submit to the start of the first task on an idle farm; and what 50 idle workers cost the server."""

import multiprocessing
import os
import random
import shutil
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.processes import services
from bench.report import ROOT, Figure, percentile, report
from bench.servers import Server, address, on_one
from sqlalchemy import text

from omkt_pipeline.daemon import queue_chores
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import Conflict
from omkt_pipeline.domain.job import JobRequest, Source, SourceKind
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.logs import configure_logging
from omkt_pipeline.queue import jobs
from omkt_pipeline.queue.accounts import create_account
from omkt_pipeline.queue.sources import NewMedia
from omkt_pipeline.settings import DaemonSettings
from omkt_pipeline.storage.share import Share
from omkt_pipeline.worker import Worker, WorkerConfig

#: Several farms on one server, each idle on its own, so that 200 submissions do not take ten minutes.
FARMS = 3
SUBMISSIONS = int(os.environ.get("OMKT_BENCH_SUBMISSIONS", "70"))  # for each farm
WORKERS = 50
MEASURED_SECONDS = 20.0
#: A worker that had work polls often at first; after this long its pauses are at their longest.
_QUIET_SECONDS = 2.0

_fork = multiprocessing.get_context("fork")


def run() -> None:
    """Measure on one server."""
    on_one(_measure)


def _measure(server: Server, folder: Path) -> None:
    database, share = server.farm("idle", folder)
    before, with_workers = _idle_cost(server, database, share, folder)
    waits = sorted(_submit_to_idle_farms(server, folder))
    report(
        "latency",
        [
            Figure(name="submit to start p50", value=percentile(waits, 50), unit=" s", at_most=0.5),
            Figure(name="p99", value=percentile(waits, 99), unit=" s", at_most=1.5),
            Figure(name="longest", value=waits[-1], unit=" s"),
            Figure(
                name=f"{WORKERS} idle workers cost the server",
                value=100 * (with_workers - before),
                unit=" % of a core",
                at_most=2,
            ),
        ],
        {
            "server": server.name,
            "submissions": len(waits),
            "server_percent_without_workers": round(100 * before, 2),
            "server_percent_with_workers": round(100 * with_workers, 2),
        },
    )


def _idle_cost(server: Server, database: Database, share: Share, folder: Path) -> tuple[float, float]:
    """The server's CPU as a fraction of one core: with nobody there, and with 50 idle workers."""
    before = _share_of_a_core(server)
    # They leave at a signal, as daemons do, and are forked: fifty imports would take a minute.
    workers = [
        _fork.Process(target=_idle, args=(address(database), share, folder, number)) for number in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    while len(list(folder.glob("idle-*.alive"))) < WORKERS:
        time.sleep(0.1)
    # They learn how many they are when they sign, after 10 s.
    time.sleep(15.0)
    cost = _share_of_a_core(server)
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join()
    return before, cost


def _share_of_a_core(server: Server) -> float:
    begun, cpu = time.monotonic(), server.cpu_seconds()
    time.sleep(MEASURED_SECONDS)
    return (server.cpu_seconds() - cpu) / (time.monotonic() - begun)


def _idle(url: str, share: Share, folder: Path, number: int) -> None:
    """One worker with the loop, the heart and the chores of a real daemon, and its settings."""
    configure_logging(service="bench", host=f"host-{number}", level="CRITICAL")
    settings = DaemonSettings(database_url=url, share_root=share.root)
    database = Database(url)
    config = WorkerConfig(
        host=f"host-{number}",
        version="bench",
        slots=2,
        threads=2,
        scratch_root=folder / "scratch",
        scratch_free_floor=0,
        lease_seconds=settings.lease_seconds,
        beat_seconds=settings.beat_seconds,
        grace_seconds=0.0,
        backoff_seconds=settings.backoff_seconds,
        idle_poll_seconds=settings.poll_seconds,
        liveness_file=folder / f"idle-{number}.alive",
    )
    chores = queue_chores(database, settings)
    Worker(database=database, share=share, pool=Pool.TRANSCODER, handlers={}, config=config, chores=chores).run()


def _submit_to_idle_farms(server: Server, folder: Path) -> list[float]:
    waits: list[float] = []
    with ExitStack() as stack:
        lanes = []
        for number in range(FARMS):
            database, share = server.farm(f"farm{number}", folder)
            shutil.copy(ROOT / "demo" / "clip.mp4", share.root / "incoming" / "clip.mp4")
            place = folder / f"daemons{number}"
            stack.enter_context(
                services(
                    "courier",
                    "metadata",
                    "transcoder",
                    database_url=address(database),
                    share_root=share.root,
                    folder=place,
                )
            )
            lanes.append(threading.Thread(target=_submit_now_and_then, args=(database, waits)))
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
    return waits


def _submit_now_and_then(database: Database, waits: list[float]) -> None:
    account, _ = create_account(database, "bench")
    request = JobRequest(source=Source(kind=SourceKind.PATH, value="clip.mp4"), presets=("audio-aac",))
    for _ in range(SUBMISSIONS):
        time.sleep(_QUIET_SECONDS + random.random())
        key = jobs.submit(database, account.id, request, NewMedia(path="incoming/clip.mp4")).job_key
        waits.append(_start_of(database, key))
        try:
            # The start is all that matters here; the rest of the job would only keep the machine busy.
            jobs.cancel(database, account.id, key)
        except Conflict:
            continue


def _start_of(database: Database, key: str) -> float:
    """Seconds from the job's row to its first attempt, both by the database's clock."""
    question = text(
        "SELECT TIMESTAMPDIFF(MICROSECOND, j.created_at, MIN(a.started_at)) FROM job j "
        "JOIN task t ON t.job_id = j.id JOIN task_attempt a ON a.task_id = t.id WHERE j.job_key = :key GROUP BY j.id"
    )
    while True:
        found: Any = database.fetch(lambda connection: connection.execute(question, {"key": key}).scalar())
        if found is not None:
            return float(found) / 1e6
        time.sleep(0.1)
