"""Where downloaded files go, and that only whole ones appear."""

import hashlib
from pathlib import Path

import httpx
import pytest

from omkt_cli.client import FarmClient
from omkt_cli.download import download, placed
from omkt_cli.faults import Fault
from omkt_client.models import File, Job, Output

BODY = b"a film"
MP4 = {"id": "o1", "preset": "mp4-720p", "state": "published", "kind": "mp4", "entry": "video.mp4", "bytes": 6}


def output() -> Output:
    return Output.model_validate(MP4)


def file(path: str) -> File:
    return File(path=path, bytes=1, sha256="0" * 64, url="http://farm.example/f")


def farm(digest: str) -> FarmClient:
    def answer(request: httpx.Request) -> httpx.Response:
        if "/files/" in request.url.path:
            return httpx.Response(200, content=BODY)
        file = {"path": "video.mp4", "bytes": len(BODY), "sha256": digest, "url": "http://farm.example/f"}
        urls = {"files_url": "http://farm.example/f/", "zip_url": "http://farm.example/z"}
        return httpx.Response(200, json=MP4 | urls | {"result": {}, "files": [file]})

    return FarmClient("http://farm.example", None, transport=httpx.MockTransport(answer))


JOB = Job.model_validate({"id": "j1", "state": "succeeded", "outputs": [MP4], "created_at": "2026-11-26T10:00:00Z"})


def test_a_single_file_is_named_after_its_preset(tmp_path: Path) -> None:
    made = download(farm(hashlib.sha256(BODY).hexdigest()), JOB, tmp_path, on_bytes=lambda _: None)

    assert made == {"mp4-720p": tmp_path / "mp4-720p.mp4"}
    assert (tmp_path / "mp4-720p.mp4").read_bytes() == BODY


def test_a_file_that_is_not_what_was_promised_does_not_appear(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="checksum"):
        download(farm("0" * 64), JOB, tmp_path, on_bytes=lambda _: None)

    assert list(tmp_path.iterdir()) == []


def test_several_files_go_into_a_folder(tmp_path: Path) -> None:
    files = [file("master.m3u8"), file("720p/0.m4s")]

    assert [path for _, path in placed(output(), files, tmp_path)] == [
        tmp_path / "mp4-720p" / "master.m3u8",
        tmp_path / "mp4-720p" / "720p" / "0.m4s",
    ]


@pytest.mark.parametrize("path", ["../evil", "/etc/passwd", "a/../../b", ""])
def test_a_server_cannot_write_outside_the_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(Fault, match="would not stay inside"):
        list(placed(output(), [file(path)], tmp_path))
