"""Metrics for Prometheus. Names and labels are listed in docs/operations.md."""

from collections.abc import Iterator

from prometheus_client import Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import Unavailable
from omkt_pipeline.domain.task import Pool, TaskState
from omkt_pipeline.queue.overview import queue_depth

ATTEMPTS = Counter("omkt_attempts_total", "Attempts that ended here, by kind and outcome", ("kind", "outcome"))
ATTEMPT_SECONDS = Histogram(
    "omkt_attempt_seconds", "Wall time of attempts", ("kind",), buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200)
)
RUNNING = Gauge("omkt_running_tasks", "Tasks that this process runs now")
PAUSED = Gauge("omkt_claims_paused", "1 while this process claims nothing: no room on a disk, draining, or set aside")
SANDBOX = Gauge("omkt_sandbox_level", "Layers of the kernel around each ffmpeg: 2 Landlock and seccomp, 0 none")
FENCED = Counter("omkt_fenced_total", "Writes of this process that were refused because its lease was lost")


class QueueCollector(Collector):
    """Queue depth, asked of the database at each scrape."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        depth = GaugeMetricFamily("omkt_queue_tasks", "Open tasks by pool and state", labels=("pool", "state"))
        try:
            for (pool, state), tasks in queue_depth(self._database).items():
                depth.add_metric((Pool(pool).name.lower(), TaskState(state).name.lower()), tasks)
        except Unavailable:
            return
        yield depth


def serve_metrics(bind: str) -> None:
    """Serve the metrics of this process at address:port."""
    address, _, port = bind.rpartition(":")
    start_http_server(int(port), addr=address or "127.0.0.1")


def expose_queue(database: Database) -> None:
    """Add the queue's depth to the metrics of this process."""
    REGISTRY.register(QueueCollector(database))
