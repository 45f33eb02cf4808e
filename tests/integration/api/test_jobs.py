"""Submit, look, cancel, retry over HTTP; and everything that is refused."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.integration.api.conftest import Farm, job

from omkt_pipeline.queue.overview import jobs_page


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Assert that a response is this problem; return its body."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"/problems/{code}"
    assert body["status"] == status
    assert body["instance"] == response.headers["x-request-id"]
    assert body["title"]
    assert body["detail"]
    return body


def test_a_job_is_accepted_and_can_be_looked_at(farm: Farm) -> None:
    with farm.client() as client:
        made = client.post(
            "/v1/jobs",
            json=job(
                client_data="order 4711",
                priority="high",
                callback={"url": "https://shop.example/hook", "types": ["output.published"]},
            ),
        )
        seen = client.get(made.headers["location"])

    body = made.json()
    assert made.status_code == 201
    assert seen.json() == body
    assert (body["state"], body["progress"], body["priority"]) == ("queued", 0.0, "high")
    assert body["source"] == {"kind": "url", "value": "https://media.example/a.mov"}
    assert body["callback"] == {"url": "https://shop.example/hook", "types": ["output.published"]}
    assert body["client_data"] == "order 4711"
    assert body["outputs"] == []
    assert body["media"]["facts"] is None


def test_a_path_on_the_share_is_a_source(farm: Farm) -> None:
    (farm.share.root / "incoming/films").mkdir()
    (farm.share.root / "incoming/films/a.mov").write_bytes(b"film")
    with farm.client() as client:
        made = client.post("/v1/jobs", json=job(source={"path": "films/a.mov"}))

    assert made.status_code == 201
    assert made.json()["media"]["name"] == "a.mov"
    assert made.json()["media"]["bytes"] == 4


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("films/none.mov", "source_missing"),
        ("films", "source_missing"),
        ("link-to-outside", "source_missing"),
        ("loop", "source_missing"),
        ("x" * 300, "source_missing"),
        ("../.omkt-share", "path_invalid"),
        ("films/../../.omkt-share", "path_invalid"),
        ("/etc/passwd", "path_invalid"),
        ("./a", "path_invalid"),
        ("a//b", "path_invalid"),
        ("a\u0000b", "path_invalid"),
        ("a\nb", "path_invalid"),
    ],
)
def test_a_path_that_is_no_file_below_incoming_is_refused(farm: Farm, path: str, code: str) -> None:
    incoming = farm.share.root / "incoming"
    for name, target in (("link-to-outside", "/etc/passwd"), ("loop", "loop")):
        if not (incoming / name).is_symlink():
            (incoming / name).symlink_to(target)
    with farm.client() as client:
        refused(client.post("/v1/jobs", json=job(source={"path": path})), 400, code)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://media.example/a.mov", "source_url_invalid"),
        ("file:///etc/passwd", "source_url_invalid"),
        ("not a url", "source_url_invalid"),
        ("https://user:secret@media.example/a", "source_url_invalid"),
        ("http://127.0.0.1/a.mov", "source_address_refused"),
        ("http://169.254.169.254/latest/meta-data", "source_address_refused"),
        ("http://[::1]/a.mov", "source_address_refused"),
        ("https://media.example:22/a.mov", "source_address_refused"),
    ],
)
def test_an_address_that_the_farm_must_not_visit_is_refused(farm: Farm, url: str, code: str) -> None:
    with farm.client() as client:
        refused(client.post("/v1/jobs", json=job(source={"url": url})), 400, code)
        refused(client.post("/v1/jobs", json=job(callback={"url": url})), 400, "callback_refused")


def test_an_unknown_preset_is_named(farm: Farm) -> None:
    with farm.client() as client:
        body = refused(client.post("/v1/jobs", json=job(presets=["hls-h264", "hls-h999"])), 400, "preset_unknown")
    assert "hls-h999" in body["detail"]


def test_an_unknown_upload_is_not_found(farm: Farm) -> None:
    with farm.client() as client:
        refused(client.post("/v1/jobs", json=job(source={"upload": "a" * 26})), 404, "upload_unknown")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"source": {"url": "https://a.example/", "host": "x"}}, "source.host"),
        ({"source": {}}, "source"),
        ({"presets": []}, "presets"),
        ({"presets": ["poster", "poster"]}, "body"),
        ({"presets": ["poster", "mp4-480p"], "first": "mp4-720p"}, "body"),
        ({"first": 1}, "first"),
        ({"callback": {"url": "https://a.example/", "types": ["job.sneezed"]}}, "callback.types.0"),
        ({"priority": "urgent"}, "priority"),
        ({"client_data": "x" * 2049}, "client_data"),
    ],
)
def test_a_malformed_request_is_told_which_field(farm: Farm, change: dict[str, Any], field: str) -> None:
    with farm.client() as client:
        body = refused(client.post("/v1/jobs", json=job(**change)), 422, "request_invalid")
    assert [fault["field"] for fault in body["errors"]] == [field]


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 422),
        (b"", "application/json", 422),
        (b"[]", "application/json", 422),
        (b'{"source": "\xff"}', "application/json", 400),
        (b'{"source": "\\ud800"}', "application/json", 422),
        (b"[" * 100_000, "application/json", 400),
        (b"source=x", "application/x-www-form-urlencoded", 422),
        (b"{}", "text/plain", 422),
    ],
)
def test_what_is_no_json_is_refused(farm: Farm, content: bytes, content_type: str, status: int) -> None:
    with farm.client() as client:
        response = client.post("/v1/jobs", content=content, headers={"Content-Type": content_type})
    refused(response, status, "request_invalid" if status == 422 else "request_unreadable")


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_of_ten_megabytes_is_refused(farm: Farm, announced: bool) -> None:
    body = b'{"client_data": "' + b"x" * (10 << 20) + b'"}'
    content = body if announced else iter([body[at : at + 65536] for at in range(0, len(body), 65536)])
    with farm.client() as client:
        response = client.post("/v1/jobs", content=content, headers={"Content-Type": "application/json"})
        refused(response, 413, "body_too_large")
        assert client.get("/v1/jobs").status_code == 200


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "key_missing"),
        ("", "key_missing"),
        ("Bearer", "key_missing"),
        ("Basic bWU6cHc=", "key_missing"),
        ("Bearer nonsense", "key_invalid"),
        ("Bearer omkt_00000000_" + "a" * 43 + "_00000000", "key_invalid"),
        ("Bearer " + "x" * 5000, "key_invalid"),
    ],
)
def test_without_a_good_key_nothing_is_read(farm: Farm, header: str | None, code: str) -> None:
    headers = {"Authorization": header} if header is not None else {}
    with farm.stranger() as client:
        for method, path in (
            ("POST", "/v1/jobs"),
            ("GET", "/v1/jobs"),
            ("POST", "/v1/uploads"),
            ("GET", "/v1/presets"),
        ):
            response = client.request(method, path, headers=headers, content=b"{" if method == "POST" else None)
            refused(response, 401, code)
            assert response.headers["www-authenticate"].startswith("Bearer")


def test_the_same_idempotency_key_from_twenty_threads_makes_one_job(farm: Farm) -> None:
    before = len(jobs_page(farm.database, 1, limit=100).jobs)

    def send(_: int) -> httpx.Response:
        with farm.client() as client:
            return client.post("/v1/jobs", json=job(), headers={"Idempotency-Key": "order-1"})

    with ThreadPoolExecutor(20) as threads:
        responses = list(threads.map(send, range(20)))

    assert {response.status_code for response in responses} == {201}
    assert len({response.json()["id"] for response in responses}) == 1
    assert sum("idempotency-replayed" not in response.headers for response in responses) == 1
    assert len(jobs_page(farm.database, 1, limit=100).jobs) == before + 1


def test_an_idempotency_key_belongs_to_one_request_of_one_account(farm: Farm) -> None:
    header = {"Idempotency-Key": "order-2"}
    with farm.client() as client, farm.client(farm.other_key) as other:
        mine = client.post("/v1/jobs", json=job(), headers=header)
        refused(client.post("/v1/jobs", json=job(priority="low"), headers=header), 422, "idempotency_mismatch")
        theirs = other.post("/v1/jobs", json=job(), headers=header)

    assert theirs.status_code == 201
    assert theirs.json()["id"] != mine.json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 129, "a b"])
def test_a_bad_idempotency_key_is_refused(farm: Farm, key: str) -> None:
    with farm.client() as client:
        refused(client.post("/v1/jobs", json=job(), headers={"Idempotency-Key": key}), 422, "request_invalid")


def test_a_job_is_cancelled_and_tried_again(farm: Farm) -> None:
    with farm.client() as client:
        path = client.post("/v1/jobs", json=job()).headers["location"]
        refused(client.post(f"{path}/retry"), 409, "job_not_failed")
        assert client.post(f"{path}/cancel").json()["state"] == "cancelled"
        assert client.post(f"{path}/cancel").status_code == 200
        assert client.post(f"{path}/retry").json()["state"] == "queued"
        assert client.post(f"{path}/cancel").json()["state"] == "cancelled"


def test_a_job_that_has_ended_cannot_be_cancelled(farm: Farm, published: str) -> None:
    with farm.client() as client:
        refused(client.post(f"/v1/jobs/{published}/cancel"), 409, "job_ended")


def test_the_tasks_of_a_job_are_shown_with_their_attempts(farm: Farm, published: str) -> None:
    with farm.client() as client:
        tasks = client.get(f"/v1/jobs/{published}/tasks").json()["tasks"]

    assert [task["kind"] for task in tasks] == ["fetch", "probe", "plan", "package"]
    assert {task["state"] for task in tasks} == {"done"}
    assert tasks[0]["history"][0]["outcome"] == "ok"


def test_pages_hold_every_job_once_while_new_ones_arrive(farm: Farm) -> None:
    with farm.client(farm.other_key) as client:
        made = [client.post("/v1/jobs", json=job()).json()["id"] for _ in range(5)]
        first = client.get("/v1/jobs", params={"limit": 2}).json()
        client.post("/v1/jobs", json=job())
        second = client.get("/v1/jobs", params={"limit": 2, "cursor": first["next"]}).json()

        assert [one["id"] for one in first["jobs"] + second["jobs"]] == made[:0:-1]
        states = client.get("/v1/jobs", params={"state": "succeeded", "limit": 100}).json()
        assert states == {"jobs": [], "next": None}
        refused(client.get("/v1/jobs", params={"cursor": "a" * 26}), 400, "cursor_invalid")
        refused(client.get("/v1/jobs", params={"limit": 101}), 422, "request_invalid")
        refused(client.get("/v1/jobs", params={"state": "lost"}), 422, "request_invalid")


def test_unknown_addresses_and_methods_are_problems_too(farm: Farm) -> None:
    with farm.client() as client:
        refused(client.get("/v1/nothing"), 404, "route_unknown")
        refused(client.delete("/v1/jobs"), 405, "method_not_allowed")
        refused(client.get("/v1/jobs/none"), 404, "job_unknown")
        refused(client.get("/static/../app.py"), 404, "route_unknown")
        refused(client.get("/static/%2e%2e/app.py"), 404, "route_unknown")


def test_presets_are_listed(farm: Farm) -> None:
    with farm.client() as client:
        presets = client.get("/v1/presets").json()["presets"]
        one = client.get("/v1/presets/hls-h264").json()
        refused(client.get("/v1/presets/none"), 404, "preset_unknown")

    assert one in presets
    assert (one["kind"], one["version"] >= 1) == ("hls", True)


def test_a_job_that_has_ended_is_repeated_whole(farm: Farm) -> None:
    key = farm.publish()
    header = {"Idempotency-Key": "once-more"}
    with farm.client() as client:
        more = client.post(f"/v1/jobs/{key}/repeat", headers=header)
        second = more.json()["id"]
        assert (more.status_code, more.headers["location"]) == (201, f"/v1/jobs/{second}")
        assert second != key
        assert more.json()["presets"] == client.get(f"/v1/jobs/{key}").json()["presets"]
        assert client.post(f"/v1/jobs/{key}/repeat", headers=header).headers["idempotency-replayed"] == "true"
        refused(client.post(f"/v1/jobs/{second}/repeat"), 409, "job_open")
        refused(client.post("/v1/jobs/none/repeat"), 404, "job_unknown")


def test_a_job_that_has_succeeded_is_given_more_outputs(farm: Farm) -> None:
    key = farm.publish()
    with farm.client() as client:
        more = client.post(f"/v1/jobs/{key}/outputs", json={"presets": ["mp4-720p"]})
        assert more.status_code == 202
        assert (more.json()["state"], more.json()["presets"]) == ("running", ["hls-h264", "mp4-720p"])
        assert [one["state"] for one in more.json()["outputs"]] == ["published"]
        refused(client.post(f"/v1/jobs/{key}/outputs", json={"presets": ["mp4-720p"]}), 409, "output_exists")
        refused(client.post(f"/v1/jobs/{key}/outputs", json={"presets": ["mp4-9"]}), 400, "preset_unknown")
        refused(client.post(f"/v1/jobs/{key}/outputs", json={"presets": []}), 422, "request_invalid")
        client.post(f"/v1/jobs/{key}/cancel")
        refused(client.post(f"/v1/jobs/{key}/outputs", json={"presets": ["audio-aac"]}), 409, "job_ended")
