"""What belongs to another account does not exist, on any route."""

import re
from collections.abc import Iterator

import pytest
from tests.integration.api.conftest import Farm, job
from tests.integration.api.test_jobs import refused

#: Routes without an account: health, and what a signed link opens.
OPEN = {"/healthz", "/readyz", "/metrics", "/v1/files/{token}/{path}", "/v1/zips/{token}"}
#: Routes that name no one's thing; to put is to make a new one.
NAMELESS = {
    "PUT /v1/uploads/{key}",
    "/v1/events",
    "/v1/jobs",
    "/v1/keys",
    "/v1/media",
    "/v1/uploads",
    "/v1/presets",
    "/v1/presets/{preset}",
    "/v1/webhook-endpoints",
}
#: What a route must be told to be understood.
BODIES = {
    "PATCH /v1/media/{key}": {"keep_until": None},
    "PATCH /v1/jobs/{key}": {"priority": "low"},
    "POST /v1/jobs/{key}/outputs": {"presets": ["mp4-720p"]},
    "POST /v1/plans": {"presets": ["hls-h264"]},
}
#: Routes of operators, which test_hosts.py and test_feed.py close to others.
OPERATORS = ("/v1/hosts", "/v1/farm", "/v1/accounts")


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


def test_what_is_foreign_does_not_exist_on_any_route(farm: Farm, published: str) -> None:
    asked = 0
    with farm.client() as owner, farm.client(farm.other_key) as other:
        upload = owner.post("/v1/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "9"}).headers["location"]
        before = owner.get(f"/v1/jobs/{published}").json()
        hook = owner.post("/v1/webhook-endpoints", json={"url": "https://shop.example/hook"}).json()["endpoint"]
        for method, path in routes(farm):
            if not {path, f"{method} {path}"} & (OPEN | NAMELESS) and not path.startswith(OPERATORS):
                names = {"key": published, "output": "hls-h264", "path": "master.m3u8", "message": "msg_1"}
                if path.startswith("/v1/uploads"):
                    names["key"] = upload.rpartition("/")[2]
                elif path.startswith("/v1/keys"):
                    names["key"] = farm.key.split("_")[1]
                elif path.startswith("/v1/webhook-endpoints"):
                    names["key"] = hook["id"]
                elif path.startswith("/v1/media"):
                    names["key"] = before["media"]["id"]
                response = other.request(
                    method,
                    path.format(**names),
                    json=BODIES.get(f"{method} {path}", {})
                    | ({"media": before["media"]["id"]} if path == "/v1/plans" else {}),
                )
                assert response.status_code == 404, (method, path)
                asked += 1
        assert owner.get(f"/v1/jobs/{published}").json() == before
        assert owner.get(upload).json()["received"] == 0
        assert owner.get(f"/v1/webhook-endpoints/{hook['id']}").json() == hook
    assert asked >= 12


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
