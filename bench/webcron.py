"""webcron: one courier calls 300 clients of the original's API every minute, ten of whom let it wait."""

import multiprocessing
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.report import Figure, percentile, report
from bench.servers import Server, on_one

from omkt_api.guard import OutsidePolicy
from omkt_api.outside import Outside
from omkt_api.wire.cron import WebCron
from omkt_pipeline.db.engine import Database
from omkt_pipeline.queue.wire import clients
from omkt_pipeline.settings import WireSettings

CLIENTS, SLOW = 300, 10
_LOOPBACK = OutsidePolicy(allowed_networks=(ip_network("127.0.0.0/8"),), allowed_ports=tuple(range(1024, 65536)))
_SECONDS = 200.0
_ANSWER_SECONDS, _SLOW_ANSWER_SECONDS = 0.5, 70.0


def run() -> None:
    """Three minutes of it."""
    on_one(_measure)


def _measure(server: Server, folder: Path) -> None:
    database, _ = server.farm("webcron", folder)
    with closing(database), _sites() as (port, calls):
        _subscribe(database, port)
        begun = time.time()
        _call_them(database)
        came = _by_client(calls)
    first = max(min(came[number]) for number in range(CLIENTS)) - begun
    quick = [sorted(came[number]) for number in range(SLOW, CLIENTS)]
    apart = [after - before for times in quick for before, after in pairwise(times)]
    report(
        "webcron",
        [
            Figure(name=f"all {CLIENTS} clients called within", value=first, unit=" s", at_most=60),
            Figure(name="two calls of one client, p50 apart", value=percentile(apart, 50), unit=" s"),
            Figure(name="p100", value=max(apart), unit=" s"),
        ],
        {"slow": SLOW, "seconds": _SECONDS, "calls": sum(map(len, came.values())), "server": server.name},
    )


def _by_client(calls: Any) -> dict[int, list[float]]:
    """When each client was called."""
    came: dict[int, list[float]] = defaultdict(list)
    while not calls.empty():
        number, at = calls.get()
        came[number].append(at)
    return came


def _subscribe(database: Database, port: int) -> None:
    for number in range(CLIENTS):
        url = f"http://127.0.0.1:{port}/{number}"
        clients.subscribe(database, email=f"c{number}@example.org", url=url, app_key="secret", validated=True)


def _call_them(database: Database) -> None:
    """As the courier does: once a second."""
    cron = WebCron(database, Outside(_LOOPBACK), parallel=WireSettings().wire_cron_parallel)
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        cron.work_once()
        time.sleep(1.0)
    cron.close()


@contextmanager
def _sites() -> Iterator[tuple[int, Any]]:
    """The clients' sites, in a process of their own; and who was called when."""
    calls: Any = multiprocessing.Queue()
    told: Any = multiprocessing.Queue()
    process = multiprocessing.Process(target=_serve, args=(calls, told), daemon=True)
    process.start()
    yield told.get(), calls
    process.kill()
    process.join()


def _serve(calls: Any, told: Any) -> None:
    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = int(self.path.partition("?")[0].strip("/"))
            calls.put((number, time.time()))
            time.sleep(_SLOW_ANSWER_SECONDS if number < SLOW else _ANSWER_SECONDS)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    class Sites(ThreadingHTTPServer):
        request_queue_size = CLIENTS
        daemon_threads = True

    server = Sites(("127.0.0.1", 0), Site)
    told.put(server.server_address[1])
    server.serve_forever()
