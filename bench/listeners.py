"""listeners: 2,000 open streams of events on one API process: its memory, and how late an event comes."""

import asyncio
import http.client
import json
import multiprocessing
import time
from pathlib import Path
from typing import Any

from bench.processes import api_of, resident_mib
from bench.report import Figure, percentile, report
from bench.servers import Server, address, on_one

from omkt_pipeline.queue.accounts import create_account

LISTENERS = 2000
_EVENTS = 10
_IDLE_SECONDS = 20.0
_TOGETHER = 50
_fork = multiprocessing.get_context("fork")


def run() -> None:
    """Measure on one server."""
    on_one(_measure)


def _measure(server: Server, folder: Path) -> None:
    database, share = server.farm("farm", folder)
    _, key = create_account(database, "bench")
    with api_of(address(database), share.root, folder) as (port, pid):
        alone = resident_mib(pid)
        told: Any = _fork.SimpleQueue()
        crowd = _fork.Process(target=_crowd, args=(port, str(key), told))
        crowd.start()
        assert told.get() == "listening"
        time.sleep(_IDLE_SECONDS)
        memory = resident_mib(pid)
        happened = [_happen(port, str(key)) for _ in range(_EVENTS)]
        heard = told.get()
        crowd.join()
    late = [when - begun for begun, whens in zip(happened, heard, strict=True) for when in whens]
    report(
        "listeners",
        [
            Figure(name=f"memory with {LISTENERS} listeners", value=memory, unit=" MiB", at_most=400e6 / (1 << 20)),
            Figure(name="an event is late, p99", value=percentile(late, 99), unit=" s", at_most=1.0),
            Figure(name="of listeners that heard all", value=len(late) / (LISTENERS * _EVENTS), at_least=1.0),
        ],
        {"server": server.name, "without_listeners_mib": round(alone, 1), "p50": round(percentile(late, 50), 3)},
    )


def _happen(port: int, key: str) -> float:
    """Let a job be cancelled, which every listener hears of; the moment at which it was."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps({"source": {"url": "https://films.example/a.mov"}, "presets": ["hls-h264"]})
    connection.request("POST", "/v1/jobs", body, headers)
    job = json.loads(connection.getresponse().read())["id"]
    connection.request("POST", f"/v1/jobs/{job}/cancel", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    moment = time.monotonic()
    answer.read()
    time.sleep(2.0)
    return moment


def _crowd(port: int, key: str, told: Any) -> None:
    """All listeners, in a process of their own."""
    heard: list[list[float]] = [[] for _ in range(_EVENTS)]

    async def listen(open_now: asyncio.Semaphore, all_open: asyncio.Barrier) -> None:
        async with open_now:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            request = f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n"
            writer.write(request.encode())
            await reader.readuntil(b"\r\n\r\n")
        await all_open.wait()
        for number in range(_EVENTS):
            while b"event: job.cancelled" not in await reader.readline():
                pass
            heard[number].append(time.monotonic())
        writer.close()

    async def all_of_them() -> None:
        open_now, all_open = asyncio.Semaphore(_TOGETHER), asyncio.Barrier(LISTENERS + 1)
        async with asyncio.TaskGroup() as group:
            for _ in range(LISTENERS):
                group.create_task(listen(open_now, all_open))
            await all_open.wait()
            told.put("listening")

    asyncio.run(all_of_them())
    told.put(heard)
