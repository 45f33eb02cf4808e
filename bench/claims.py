"""queue: how fast 50 workers claim from one server, how long one waits, and whether a long history slows them down."""

import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import rows
from bench.report import Figure, percentile, report
from bench.servers import Server, address, available, serving

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.claim import claim, ready_count
from omkt_pipeline.testing import a_claimant

PROCESSES, THREADS = 5, 10
WORKERS = PROCESSES * THREADS
READY = int(os.environ.get("OMKT_BENCH_READY", "10000"))
FINISHED = int(os.environ.get("OMKT_BENCH_FINISHED", "1000000"))
ROUNDS = 4

_fork = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Drained:
    """All ready tasks claimed: wall seconds, the seconds of each claim, and empty answers while there was plenty."""

    seconds: float
    claims: list[float]
    false_empties: int

    @property
    def rate(self) -> float:
        return len(self.claims) / self.seconds


def run() -> None:
    """Measure on every server of this machine."""
    for name in available():
        with serving(name) as server, tempfile.TemporaryDirectory(prefix="omkt-bench-") as folder:
            _measure(server, Path(folder))


def _measure(server: Server, folder: Path) -> None:
    fresh, _ = server.farm("fresh", folder)
    rows.add_ready(fresh, READY)
    plain = drain(fresh)
    details: dict[str, Any] = {"workers": WORKERS, "ready": READY, "seconds": round(plain.seconds, 2)}
    old, _ = server.farm("old", folder)
    details["filling_seconds"] = round(rows.add_finished(old, FINISHED), 1)
    among = list(_alternately(fresh, old))
    without, with_history = (sum(pair[which].seconds for pair in among) for which in (0, 1))
    details["rounds"] = [[round(one.rate, 1) for one in pair] for pair in among]
    report(
        f"queue-{server.name}",
        [
            Figure(name="claims/s", value=plain.rate, at_least=300),
            Figure(name="p50", value=percentile(plain.claims, 50) * 1000, unit=" ms"),
            Figure(name="p99", value=percentile(plain.claims, 99) * 1000, unit=" ms", at_most=250),
            Figure(name="false empties", value=plain.false_empties, at_most=0),
            Figure(name=f"with {FINISHED} finished rows slower by", value=with_history / without, at_most=1.2),
        ],
        details,
    )


def _alternately(fresh: Database, old: Database) -> Iterator[tuple[Drained, Drained]]:
    """The same claims from two schemas of one server, turn by turn, so that both meet the same weather."""
    for _ in range(ROUNDS):
        for database in (fresh, old):
            rows.add_ready(database, READY // ROUNDS)
        yield drain(fresh), drain(old)


def drain(database: Database) -> Drained:
    """Claim everything that is ready, with 50 workers."""
    start = _fork.Barrier(WORKERS + 1)
    outcomes: Any = _fork.SimpleQueue()
    processes = [
        _fork.Process(target=_claim_in_threads, args=(address(database), start, outcomes)) for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    start.wait()
    begun = time.monotonic()
    ended = [outcomes.get() for _ in processes]
    for process in processes:
        process.join()
    claims = [seconds for one in ended for seconds in one[1]]
    return Drained(max(one[0] for one in ended) - begun, claims, sum(one[2] for one in ended))


def _claim_in_threads(url: str, start: Any, outcomes: Any) -> None:
    database = Database(url, pool_size=THREADS)
    claims: list[float] = []
    false_empties: list[int] = []

    def work() -> None:
        claimant = a_claimant(database, Pool.TRANSCODER)
        start.wait()
        while True:
            begun = time.monotonic()
            task = claim(database, claimant, os.urandom(16))
            if task is not None:
                claims.append(time.monotonic() - begun)
            # Rows that others are just claiming still look ready: only more than that is a wrong answer.
            elif ready_count(database, Pool.TRANSCODER, at_most=WORKERS + 1) <= WORKERS:
                return
            else:
                false_empties.append(1)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    outcomes.put((time.monotonic(), claims, len(false_empties)))
