"""What belongs to another account does not exist, on any route."""

import re
from collections.abc import Iterator

import pytest
from tests.integration.api.conftest import Farm, job
from tests.integration.api.test_jobs import refused

#: Routes without an account: health, and what a signed link opens.
OPEN = {"/healthz", "/readyz", "/metrics", "/v1/files/{token}/{path}"}
#: Routes that name no one's thing.
NAMELESS = {"/v1/jobs", "/v1/uploads", "/v1/presets", "/v1/presets/{preset}"}
#: Routes of operators, which test_hosts.py closes to others.
OPERATORS = "/v1/hosts"


def routes(farm: Farm) -> Iterator[tuple[str, str]]:
    with farm.stranger() as client:
        paths = client.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for method in methods:
            yield method.upper(), path


def test_every_route_but_the_open_ones_asks_for_a_key(farm: Farm) -> None:
    with farm.stranger() as client:
        for method, path in routes(farm):
            status = client.request(method, re.sub(r"\{\w+\}", "x", path)).status_code
            assert (status == 401) == (path not in OPEN), (method, path, status)


def test_a_foreign_job_does_not_exist_on_any_route(farm: Farm, published: str) -> None:
    names = {"key": published, "output": "hls-h264", "path": "master.m3u8"}
    asked = 0
    with farm.client() as owner, farm.client(farm.other_key) as other:
        before = owner.get(f"/v1/jobs/{published}").json()
        for method, path in routes(farm):
            if path not in OPEN | NAMELESS and not path.startswith(OPERATORS):
                response = other.request(method, path.format(**names))
                assert response.status_code == 404, (method, path)
                asked += 1
        assert owner.get(f"/v1/jobs/{published}").json() == before
    assert asked >= 8


def test_jobs_of_others_are_not_listed_and_are_no_cursor(farm: Farm, published: str) -> None:
    with farm.client(farm.other_key) as other:
        assert published not in other.get("/v1/jobs?limit=100").text
        refused(other.get("/v1/jobs", params={"cursor": published}), 400, "cursor_invalid")


@pytest.mark.parametrize("own", [True, False])
def test_an_upload_is_a_source_for_its_owner_alone(farm: Farm, own: bool) -> None:
    with farm.client() as owner, farm.client(farm.other_key) as other:
        upload = owner.post("/v1/uploads", content=b"film").json()["id"]
        response = (owner if own else other).post("/v1/jobs", json=job(source={"upload": upload}))
    if own:
        assert response.status_code == 201
    else:
        refused(response, 404, "upload_unknown")
