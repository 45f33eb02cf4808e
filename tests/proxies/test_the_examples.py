"""The example configurations of compose/ before a real API: what goes through them, and what they send themselves."""

import hashlib

import pytest

from tests.integration.api.conftest import FILES, job
from tests.integration.api.test_events import events
from tests.proxies.conftest import Proxied

NAME = "v/720-00001.m4s"
FILM = FILES[NAME]


def path(proxied: Proxied, name: str = NAME) -> str:
    return f"/v1/jobs/{proxied.published}/outputs/hls-h264/files/{name}"


@pytest.mark.parametrize("name", FILES)
def test_a_file_comes_from_the_proxy_as_the_api_would_send_it(proxied: Proxied, name: str) -> None:
    with proxied.client() as client:
        answer = client.get(path(proxied, name), headers={"Accept-Encoding": "identity"})

    assert answer.status_code == 200
    assert answer.content == FILES[name]
    assert answer.headers["etag"] == f'"{hashlib.sha256(FILES[name]).hexdigest()}"'
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "x-accel-redirect" not in answer.headers


def test_ranges_are_the_proxys_work(proxied: Proxied) -> None:
    with proxied.client() as client:
        part = client.get(path(proxied), headers={"Range": "bytes=1000-1999"})
        end = client.get(path(proxied), headers={"Range": "bytes=-7"})
        beyond = client.get(path(proxied), headers={"Range": f"bytes={len(FILM)}-"})

    assert (part.status_code, part.content) == (206, FILM[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(FILM)}"
    assert (end.status_code, end.content) == (206, FILM[-7:])
    assert beyond.status_code == 416


def test_what_a_client_has_is_not_sent_again(proxied: Proxied) -> None:
    with proxied.client() as client:
        tag = client.head(path(proxied)).headers["etag"]
        assert client.get(path(proxied), headers={"If-None-Match": tag}).status_code == 304


def test_a_signed_link_needs_no_key_and_the_types_are_right(proxied: Proxied) -> None:
    with proxied.client() as client:
        output = client.get(f"/v1/jobs/{proxied.published}/outputs/hls-h264").json()
        token = output["files_url"].removeprefix("https://farm.example")
        del client.headers["Authorization"]
        playlist = client.get(f"{token}master.m3u8")

    assert playlist.text == FILES["master.m3u8"].decode()
    assert playlist.headers["content-type"].startswith("application/vnd.apple.mpegurl")


@pytest.mark.parametrize("inside", ["/share/results/", "/share/results/x", "/share/.omkt-share", "/share/originals/"])
def test_nobody_reaches_the_share_around_the_api(proxied: Proxied, inside: str) -> None:
    with proxied.client() as client:
        assert client.get(inside).status_code == 404
        where = f"/share/results/{proxied.published}"
        assert client.get(where, headers={"X-Accel-Redirect": f"{where}/master.m3u8"}).status_code == 404


def test_without_a_key_the_proxy_sends_nothing(proxied: Proxied) -> None:
    with proxied.client() as client:
        del client.headers["Authorization"]
        assert client.get(path(proxied)).status_code == 401


def test_events_arrive_at_once(proxied: Proxied) -> None:
    with proxied.client() as client:
        where = client.post("/v1/jobs", json=job()).headers["location"]
        with client.stream("GET", f"{where}/events") as stream:
            told = events(stream)
            assert next(told)[2]["state"] == "queued"
            with proxied.client() as canceller:
                assert canceller.post(f"{where}/cancel").status_code == 200
            assert [data["state"] for _, _, data in told][-1] == "cancelled"


def test_an_upload_goes_through_in_one_request_and_in_pieces(proxied: Proxied) -> None:
    content = bytes(range(256)) * 20_000
    with proxied.client() as client:
        whole = client.post("/v1/uploads", content=content)
        assert (whole.status_code, whole.json()["bytes"]) == (201, len(content))
        tus = {"Tus-Resumable": "1.0.0"}
        made = client.post("/v1/uploads", headers=tus | {"Upload-Length": "6"}).headers["location"]
        for at, part in ((0, b"abc"), (3, b"def")):
            headers = tus | {"Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"}
            assert client.patch(_below(made), headers=headers, content=part).status_code == 204
        assert client.get(_below(made)).json()["complete"]


def _below(url: str) -> str:
    return "/v1/" + url.partition("/v1/")[2]
