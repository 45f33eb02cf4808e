"""lists: pages of jobs beside a million others, asked of one API process on MySQL."""

import http.client
import json
import random
import time
from pathlib import Path

from bench.processes import api_of
from bench.report import Figure, percentile, report
from bench.rows import add_jobs
from bench.servers import Server, address, on_one

from omkt_pipeline.queue.accounts import create_account
from omkt_pipeline.testing import a_planned_job

JOBS = 1_000_000
_ROUNDS = 150
_SEED = 1


def run() -> None:
    """Measure on one server."""
    on_one(_measure)


def _measure(server: Server, folder: Path) -> None:
    database, share = server.farm("farm", folder)
    account, key = create_account(database, "bench")
    a_planned_job(database, account.id)
    seconds = add_jobs(database, JOBS)
    with api_of(address(database), share.root, folder) as (port, _):
        took = _ask(port, str(key))
    figures = [
        Figure(name=f"{name} p99", value=percentile(times, 99) * 1000, unit=" ms", at_most=50)
        for name, times in took.items()
    ]
    report("lists", figures, {"server": server.name, "jobs": JOBS, "filled_in_seconds": round(seconds, 1)})


def _ask(port: int, key: str) -> dict[str, list[float]]:
    """Seconds of requests for the first page, for a page in the depth, and for the first one of a state; by turns."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    cursors = _cursors(connection, key)
    chance = random.Random(_SEED)
    took: dict[str, list[float]] = {"first page": [], "a page in the depth": [], "a state": []}
    for turn in range(_ROUNDS):
        asked = {
            "first page": "limit=20",
            "a page in the depth": f"limit=20&cursor={chance.choice(cursors)}",
            "a state": "limit=20&state=failed",
        }
        for name, query in asked.items():
            begun = time.monotonic()
            page = _get(connection, f"/v1/jobs?{query}", key)
            if turn:  # the first finds nothing in memory
                took[name].append(time.monotonic() - begun)
            assert len(page["jobs"]) == 20, name
    return took


def _cursors(connection: http.client.HTTPConnection, key: str) -> list[str]:
    """Where pages begin, at steps through the first hundred thousand jobs."""
    found: list[str] = []
    query = "limit=100"
    for _ in range(50):
        page = _get(connection, f"/v1/jobs?{query}", key)
        found.append(page["next"])
        query = f"limit=100&cursor={page['next']}"
    return found


def _get(connection: http.client.HTTPConnection, path: str, key: str) -> dict[str, list[object]]:
    connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    return dict(json.loads(body))
