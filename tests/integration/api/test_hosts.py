"""/v1/hosts: for operators, who see hosts and steer them."""

import pytest
from tests.integration.api.conftest import Farm

from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.workers import GONE, register, sign


@pytest.fixture
def host(farm: Farm) -> str:
    name = "encoder-2"
    facts = {"ffmpeg": "7.1", "scratch_free": 5}
    worker = register(farm.database, host=name, pool=Pool.TRANSCODER, version="1", slots=2, facts=facts)
    sign(farm.database, worker, state="up")
    return name


def test_hosts_are_shown_with_their_workers(farm: Farm, host: str) -> None:
    with farm.client() as client:
        listed = client.get("/v1/hosts").json()["hosts"]
        shown = client.get(f"/v1/hosts/{host}").json()
    assert shown in listed
    assert (shown["state"], shown["workers"][0]["pool"]) == ("up", "transcoder")
    assert shown["workers"][0]["facts"]["ffmpeg"] == "7.1"


def test_a_host_is_drained_and_resumed(farm: Farm, host: str) -> None:
    with farm.client() as client:
        assert client.post(f"/v1/hosts/{host}/drain").json()["state"] == "drained"
        assert client.get(f"/v1/hosts/{host}").json()["state"] == "drained"
        assert client.post(f"/v1/hosts/{host}/resume").json()["state"] == "up"


def test_a_living_host_is_not_removed_and_a_dead_one_is(farm: Farm, host: str) -> None:
    with farm.client() as client:
        refused = client.delete(f"/v1/hosts/{host}")
        assert (refused.status_code, refused.json()["code"]) == (409, "host_alive")
        for worker in range(1, 50):
            sign(farm.database, worker, state=GONE)
        assert client.delete(f"/v1/hosts/{host}").status_code == 204
        gone = client.get(f"/v1/hosts/{host}")
        assert (gone.status_code, gone.json()["code"]) == (404, "host_unknown")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/x"), ("POST", "/x/drain"), ("DELETE", "/x")])
def test_who_is_no_operator_sees_no_host(farm: Farm, method: str, path: str) -> None:
    with farm.client(farm.other_key) as client:
        refused = client.request(method, f"/v1/hosts{path}")
    assert (refused.status_code, refused.json()["code"]) == (403, "operator_only")
