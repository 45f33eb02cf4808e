"""Watching a job."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
from tests.integration.api.conftest import Farm, job
from tests.integration.api.test_jobs import refused

from omkt_pipeline.domain.effects import Fetched, Settlement
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.beat import beat
from omkt_pipeline.queue.settle import settle


def events(response: httpx.Response) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(id, event, data) of each event."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield fields["id"], fields["event"], json.loads(fields["data"])
            fields = {}


def test_each_change_of_a_job_is_told_until_it_ends(farm: Farm) -> None:
    with farm.client() as client:
        path = f"/v1/jobs/{farm.submit()}"
        with client.stream("GET", f"{path}/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert stream.headers["cache-control"] == "no-cache"
            told = events(stream)
            number, name, first = next(told)
            assert (number, name, first["state"]) == ("1", "job", "queued")
            held = farm.claim(Pool.COURIER)
            assert next(told)[2]["stage"] == "fetch"
            beat(farm.database, held, lease_seconds=60, progress=0.5)
            settle(farm.database, held, Settlement(effect=Fetched(path="originals/x", bytes=3, sha256="0" * 64)))
            assert next(told)[2]["stage"] == "probe"
            with farm.client() as canceller:
                canceller.post(f"{path}/cancel")
            rest = list(told)

    assert rest[-1][2]["state"] == "cancelled"
    assert [int(number) for number, _, _ in rest] == list(range(4, 4 + len(rest)))


def test_who_asks_for_it_hears_of_each_unit_of_work(farm: Farm) -> None:
    with farm.client() as client:
        path = f"/v1/jobs/{farm.submit()}"
        with client.stream("GET", f"{path}/events", params={"tasks": "true"}) as stream:
            told = events(stream)
            begin = next(told)[2]["tasks"][0]
            assert (begin["kind"], begin["state"]) == ("fetch", "ready")
            held = farm.claim(Pool.COURIER)
            assert next(told)[2]["tasks"][0]["state"] == "running"
            beat(farm.database, held, lease_seconds=60, progress=0.5)
            assert next(told)[2]["tasks"][0]["progress"] == 0.5
            with farm.client() as other:
                other.post(f"{path}/cancel")


def test_a_job_that_has_ended_is_told_once(farm: Farm, published: str) -> None:
    with farm.client() as client, client.stream("GET", f"/v1/jobs/{published}/events") as stream:
        told = list(events(stream))

    assert [data["state"] for _, _, data in told] == ["succeeded"]


def test_there_is_no_stream_of_an_unknown_job(farm: Farm) -> None:
    with farm.client() as client:
        refused(client.get("/v1/jobs/none/events"), 404, "job_unknown")


def test_many_watchers_leave_the_api_free(farm: Farm) -> None:
    with farm.client() as client:
        path = client.post("/v1/jobs", json=job()).headers["location"]
        streams = [client.stream("GET", f"{path}/events") for _ in range(60)]
        with farm.client() as other:
            for stream in streams:
                stream.__enter__()
            assert other.get(path).status_code == 200
            other.post(f"{path}/cancel")
            for stream in streams:
                stream.__exit__(None, None, None)
