"""Uploads: complete on the share or not at all."""

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.api.conftest import MAX_UPLOAD_BYTES, Farm, build, job, served
from tests.integration.api.test_jobs import refused

from omkt_api.app import create_app

CONTENT = bytes(range(256)) * 12_000


def originals(farm: Farm) -> list[Path]:
    return sorted((farm.share.root / "originals").rglob("*"))


def blocks() -> Iterator[bytes]:
    for at in range(0, len(CONTENT), 10_000):
        yield CONTENT[at : at + 10_000]


@pytest.mark.parametrize("announced", [True, False])
def test_an_upload_lies_whole_on_the_share_and_is_a_source(farm: Farm, announced: bool) -> None:
    with farm.client() as client:
        made = client.post("/v1/uploads?name=film.mov", content=CONTENT if announced else blocks())
        body = made.json()
        started = client.post("/v1/jobs", json=job(source={"upload": body["id"]}))

    assert made.status_code == 201
    assert body["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert (body["name"], body["bytes"]) == ("film.mov", len(CONTENT))
    assert (farm.share.root / f"originals/{body['id']}/upload/original").read_bytes() == CONTENT
    assert started.json()["media"]["id"] == body["id"]


def test_a_name_can_break_neither_headers_nor_lines(farm: Farm) -> None:
    name = '"a"; filename=x\r\nSet-Cookie: evil=1\n\u202e'
    with farm.client() as client:
        made = client.post("/v1/uploads", params={"name": name}, content=b"film")

    assert made.json()["name"] == '"a"; filename=x Set-Cookie: evil=1'
    assert "set-cookie" not in made.headers


def test_an_upload_without_bytes_is_refused_and_leaves_nothing(farm: Farm) -> None:
    before = originals(farm)
    with farm.client() as client:
        refused(client.post("/v1/uploads", content=b""), 400, "upload_empty")
        refused(client.post("/v1/uploads", content=iter([])), 400, "upload_empty")
    assert originals(farm) == before


@pytest.mark.parametrize("announced", [True, False])
def test_an_upload_over_the_limit_is_refused_and_leaves_nothing(farm: Farm, announced: bool) -> None:
    before = originals(farm)
    content = b"x" * (MAX_UPLOAD_BYTES + 1)
    with farm.client() as client:
        response = client.post("/v1/uploads", content=content if announced else iter([content]))
    refused(response, 413, "body_too_large")
    assert originals(farm) == before


def test_an_upload_of_just_the_limit_is_taken(farm: Farm) -> None:
    with farm.client() as client:
        assert client.post("/v1/uploads", content=b"x" * MAX_UPLOAD_BYTES).status_code == 201


@pytest.mark.parametrize("coding", ["Content-Length: 5000000", "Transfer-Encoding: chunked"])
def test_an_upload_that_breaks_off_leaves_nothing(farm: Farm, coding: str) -> None:
    before = originals(farm)
    host, port = farm.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /v1/uploads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {farm.key}\r\n{coding}\r\n\r\n"
        connection.sendall(head.encode() + b"186A0\r\n" + b"x" * 100_000)
        connection.shutdown(socket.SHUT_WR)
        # The server closes when it has dealt with the end.
        while connection.recv(65536):
            pass
    eventually_gone(farm, before)


def eventually_gone(farm: Farm, before: list[Path]) -> None:
    """The connection closes a moment before the folder is gone: a request behind it in line sees the end of that."""
    with farm.client() as client:
        for _ in range(1000):
            if originals(farm) == before:
                return
            client.get("/healthz")
    assert originals(farm) == before


def test_a_full_share_is_said_so(tmp_path: Path) -> None:
    grounds, settings, key, _ = build(tmp_path)
    grounds.share.free_floor_bytes = 1 << 60
    with served(create_app(settings, grounds)) as url:
        full = Farm(database=grounds.database, share=grounds.share, url=url, key=key, other_key=key)
        with full.client() as client:
            body = refused(client.post("/v1/uploads", content=b"film"), 507, "share_full")
            assert str(tmp_path) not in body["detail"]
        assert originals(full) == []


def test_a_browsers_form_brings_its_first_file(farm: Farm) -> None:
    film = bytes(range(256)) * 5000
    with farm.client() as client:
        form = {"note": (None, "mine"), "file": ('fìlm "x".mov', film), "other": ("b.mov", b"ignored")}
        answer = client.post("/v1/uploads", files=form)

    assert answer.status_code == 201, answer.text
    stored = answer.json()
    assert (stored["bytes"], stored["sha256"]) == (len(film), hashlib.sha256(film).hexdigest())
    assert stored["name"].endswith(".mov")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"nothing of that kind"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n'),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; filename="a"\r\n\r\nhalf of it'),
        ("multipart/form-data; boundary=b", b"--b\r\nX: " + b"y" * 100_000),
    ],
    ids=["no boundary", "no parts", "no file", "half", "endless header"],
)
def test_a_form_that_is_none_is_refused_and_leaves_nothing(farm: Farm, kind: str, body: bytes) -> None:
    before = sorted(farm.share.root.rglob("*"))
    with farm.client() as client:
        refused(client.post("/v1/uploads", content=body, headers={"Content-Type": kind}), 400, "upload_form_invalid")
    assert sorted(farm.share.root.rglob("*")) == before
