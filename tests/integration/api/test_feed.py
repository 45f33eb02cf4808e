"""Everything that happens to an account's jobs: as a stream that goes on where it broke off, and at endpoints of its own."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from tests.integration.api.conftest import Farm, job
from tests.integration.api.test_jobs import refused

from omkt_pipeline.queue.accounts import create_account


@contextmanager
def listening(client: httpx.Client, **how: Any) -> Iterator[Iterator[dict[str, Any]]]:
    """The events of a stream, which has begun."""
    with client.stream("GET", "/v1/events", timeout=30, **how) as answer:
        assert answer.status_code == 200
        yield _events(answer)


def _events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    found: dict[str, Any] = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(": ")
        if line:
            found[name] = json.loads(value) if name == "data" else value
        elif "data" in found:
            yield found
            found = {}


def cancelled(client: httpx.Client) -> str:
    key: str = client.post("/v1/jobs", json=job()).json()["id"]
    assert client.post(f"/v1/jobs/{key}/cancel").status_code == 200
    return key


def soon(client: httpx.Client, seconds: float = 1.5) -> Future[str]:
    """Cancel a job in a while; its key comes with the answer, which a listener may hear of before."""
    key: Future[str] = Future()
    timer = threading.Timer(seconds, lambda: key.set_result(cancelled(client)))
    timer.daemon = True
    timer.start()
    return key


def test_what_happens_is_told_to_its_account_alone(farm: Farm) -> None:
    with farm.client() as owner, farm.client() as listener, farm.client(farm.other_key) as other:
        before = cancelled(owner)
        with listening(listener) as events:
            strange, own = soon(other, 1.0), soon(owner, 2.0)
            event = next(events)
            keys = [one.result(10) for one in (own, strange)]

    assert event["event"] == "job.cancelled"
    assert event["data"]["data"]["job"] == keys[0] != before
    assert event["data"]["data"]["state"] == "cancelled"


def test_a_listener_that_was_away_misses_nothing(farm: Farm) -> None:
    with farm.client() as owner, farm.client() as listener:
        with listening(listener) as events:
            first = soon(owner)
            last = next(events)["id"]
            first.result(10)
        missed = [cancelled(owner) for _ in range(3)]
        with listening(listener, headers={"Last-Event-ID": last}) as events:
            told = [next(events)["data"]["data"]["job"] for _ in missed]
            key = soon(owner)
            later = next(events)["data"]["data"]["job"]
            assert later == key.result(10)

    assert told == missed


def test_a_listener_may_choose(farm: Farm) -> None:
    with farm.client() as owner, farm.client() as listener:
        with listening(listener, params={"types": "job.succeeded,output.published"}) as events:
            unwanted = soon(owner, 0.5)
            publisher = threading.Timer(1.5, farm.publish)
            publisher.start()
            told = [next(events)["event"] for _ in range(2)]
            unwanted.result(10)
        publisher.join()
    assert told == ["output.published", "job.succeeded"]


def test_an_id_that_is_none_is_refused(farm: Farm) -> None:
    with farm.client() as client:
        refused(client.get("/v1/events", headers={"Last-Event-ID": "x"}), 422, "request_invalid")


def test_an_endpoint_comes_and_goes(farm: Farm) -> None:
    with farm.client() as client:
        made = client.post("/v1/webhook-endpoints", json={"url": "https://shop.example/hook", "types": ["job.failed"]})
        assert made.status_code == 201
        secret, shown = made.json()["secret"], made.json()["endpoint"]
        address = f"/v1/webhook-endpoints/{shown['id']}"
        assert client.get(address).json() == shown
        assert secret not in client.get("/v1/webhook-endpoints").text
        changed = client.patch(address, json={"enabled": False, "types": []}).json()
        assert (changed["enabled"], changed["types"], changed["url"]) == (False, [], shown["url"])
        assert client.post(f"{address}/rotate-secret").json()["secret"] != secret
        assert client.delete(address).status_code == 204
        refused(client.get(address), 404, "endpoint_unknown")


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "ftp://shop.example/", "http://169.254.169.254/"])
def test_an_endpoint_cannot_lead_inside(farm: Farm, url: str) -> None:
    with farm.client() as client:
        refused(client.post("/v1/webhook-endpoints", json={"url": url}), 400, "callback_refused")


def test_the_farm_is_the_operators_alone(farm: Farm) -> None:
    _, key = create_account(farm.database, "nobody-special")
    with farm.client(str(key)) as stranger:
        for method, path in (("GET", ""), ("PATCH", ""), ("GET", "/troubles"), ("GET", "/storage")):
            refused(stranger.request(method, f"/v1/farm{path}", json={"paused": []}), 403, "operator_only")
        refused(stranger.post("/v1/farm/troubles/1/retry"), 403, "operator_only")


def test_an_operator_sees_the_queue_and_holds_it(farm: Farm) -> None:
    with farm.client() as operator:
        farm.submit()
        pools = {one["pool"]: one for one in operator.get("/v1/farm").json()["pools"]}
        assert pools["courier"]["ready"] == 1
        assert not pools["transcoder"]["paused"]

        held = operator.patch("/v1/farm", json={"paused": ["transcoder"]}).json()

        assert [one["pool"] for one in held["pools"] if one["paused"]] == ["transcoder"]
        refused(operator.patch("/v1/farm", json={"paused": ["kitchen"]}), 422, "request_invalid")
        operator.patch("/v1/farm", json={"paused": []})
        assert operator.get("/v1/farm/troubles").json()["next"] is None
        refused(operator.post("/v1/farm/troubles/4711/retry"), 404, "task_unknown")
        assert operator.get("/v1/farm/storage").json()["free_bytes"] > 0


def test_an_operator_changes_settings_of_the_running_farm(farm: Farm) -> None:
    with farm.client() as operator:
        assert set(operator.get("/v1/farm/settings").json().values()) == {None}
        changed = operator.patch("/v1/farm/settings", json={"keep_results_days": 14, "chunk_min_seconds": 5.5}).json()
        assert (changed["keep_results_days"], changed["chunk_min_seconds"]) == (14, 5.5)
        operator.patch("/v1/farm/settings", json={"keep_results_days": None})

        assert operator.get("/v1/farm/settings").json() == changed | {"keep_results_days": None}
        for wrong in ({"keep_results_days": -1}, {"keep_results_days": True}, {"lease_seconds": 5}):
            refused(operator.patch("/v1/farm/settings", json=wrong), 422, "request_invalid")
        operator.patch("/v1/farm/settings", json={"chunk_min_seconds": None})
