"""Where downloaded files go, and that only whole ones appear."""

import hashlib
from pathlib import Path

import httpx
import pytest

from omkt_cli.client import FarmClient
from omkt_cli.download import download, placed
from omkt_cli.faults import Fault
from omkt_cli.views import File, Job, Output

BODY = b"a film"
MP4 = {"id": "o1", "preset": "mp4-720p", "state": "published", "kind": "mp4", "entry": "video.mp4", "bytes": 6}


def output() -> Output:
    return Output.of(MP4)


def farm(digest: str) -> FarmClient:
    def answer(request: httpx.Request) -> httpx.Response:
        if "/files/" in request.url.path:
            return httpx.Response(200, content=BODY)
        return httpx.Response(200, json={"files": [{"path": "video.mp4", "bytes": len(BODY), "sha256": digest}]})

    return FarmClient("http://farm.example", None, transport=httpx.MockTransport(answer))


JOB = Job.of({"id": "j1", "state": "succeeded", "outputs": [MP4]})


def test_a_single_file_is_named_after_its_preset(tmp_path: Path) -> None:
    made = download(farm(hashlib.sha256(BODY).hexdigest()), JOB, tmp_path, on_bytes=lambda _: None)

    assert made == {"mp4-720p": tmp_path / "mp4-720p.mp4"}
    assert (tmp_path / "mp4-720p.mp4").read_bytes() == BODY


def test_a_file_that_is_not_what_was_promised_does_not_appear(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="checksum"):
        download(farm("0" * 64), JOB, tmp_path, on_bytes=lambda _: None)

    assert list(tmp_path.iterdir()) == []


def test_several_files_go_into_a_folder(tmp_path: Path) -> None:
    files = [File(path="master.m3u8", bytes=1, sha256=None), File(path="720p/0.m4s", bytes=1, sha256=None)]

    assert [path for _, path in placed(output(), files, tmp_path)] == [
        tmp_path / "mp4-720p" / "master.m3u8",
        tmp_path / "mp4-720p" / "720p" / "0.m4s",
    ]


@pytest.mark.parametrize("path", ["../evil", "/etc/passwd", "a/../../b", ""])
def test_a_server_cannot_write_outside_the_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(Fault, match="would not stay inside"):
        list(placed(output(), [File(path=path, bytes=1, sha256=None)], tmp_path))
