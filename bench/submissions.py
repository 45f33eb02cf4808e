"""api: how many jobs 16 clients can submit to one API process on MySQL, and how long one request takes."""

import http.client
import json
import multiprocessing
import shutil
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.processes import api_of, cpu_seconds
from bench.report import ROOT, Figure, percentile, report
from bench.servers import Server, address, on_one

from omkt_pipeline.queue.accounts import create_account

PROCESSES, THREADS = 2, 8
WARM_UP_SECONDS, MEASURED_SECONDS = 3.0, 20.0
_BODY = json.dumps({"source": {"path": "clip.mp4"}, "presets": ["hls-h264"], "client_data": "bench"})

_fork = multiprocessing.get_context("fork")


def run() -> None:
    """Measure on one server."""
    on_one(_measure)


def _measure(server: Server, folder: Path) -> None:
    database, share = server.farm("farm", folder)
    shutil.copy(ROOT / "demo" / "clip.mp4", share.root / "incoming" / "clip.mp4")
    _, key = create_account(database, "bench")
    with api_of(address(database), share.root, folder) as (port, pid):
        api, database_cpu = cpu_seconds(pid), server.cpu_seconds()
        answers = _submit_from_all_clients(port, str(key))
        api, database_cpu = cpu_seconds(pid) - api, server.cpu_seconds() - database_cpu
    statuses = Counter(status for status, _ in answers)
    seconds = [took for _, took in answers]
    report(
        "api",
        [
            Figure(name="POST /v1/jobs per s", value=statuses[201] / MEASURED_SECONDS, at_least=200),
            Figure(name="p50", value=percentile(seconds, 50) * 1000, unit=" ms"),
            Figure(name="p99", value=percentile(seconds, 99) * 1000, unit=" ms", at_most=200),
            Figure(name="answers 5xx", value=sum(n for s, n in statuses.items() if s >= 500), at_most=0),
        ],
        {
            "server": server.name,
            "clients": PROCESSES * THREADS,
            "statuses": {str(status): count for status, count in statuses.items()},
            "api_cpu_cores": round(api / (WARM_UP_SECONDS + MEASURED_SECONDS), 2),
            "server_cpu_cores": round(database_cpu / (WARM_UP_SECONDS + MEASURED_SECONDS), 2),
        },
    )


def _submit_from_all_clients(port: int, key: str) -> list[tuple[int, float]]:
    answers: Any = _fork.SimpleQueue()
    processes = [_fork.Process(target=_clients, args=(port, key, answers)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    found = [answer for _ in processes for answer in answers.get()]
    for process in processes:
        process.join()
    return found


def _clients(port: int, key: str, answers: Any) -> None:
    begin = time.monotonic() + WARM_UP_SECONDS
    end = begin + MEASURED_SECONDS
    got: list[tuple[int, float]] = []

    def submit() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        while True:
            begun = time.monotonic()
            connection.request("POST", "/v1/jobs", _BODY, headers)
            response = connection.getresponse()
            response.read()
            ended = time.monotonic()
            if ended > end:
                return
            if ended > begin:
                got.append((response.status, ended - begun))

    threads = [threading.Thread(target=submit) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.put(got)
