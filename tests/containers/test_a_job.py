"""A job through the containers: fetched by URL, delivered, told by webhook."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
from standardwebhooks import Webhook

from omkt_pipeline.media.tools import find_tools
from tests.containers.farm import ROOT, ContainerFarm, wait_for


def frames(path: str) -> int:
    ffprobe = str(find_tools().ffprobe)
    asked = ("-v", "error", "-count_packets", "-select_streams", "v:0", "-show_entries", "stream=nb_read_packets")
    told = subprocess.run([ffprobe, *asked, "-of", "json", path], capture_output=True, text=True, check=True)
    return int(json.loads(told.stdout)["streams"][0]["nb_read_packets"])


def test_a_job_by_url_is_delivered_and_told_of_by_a_signed_webhook(
    farm: ContainerFarm, clips: Path, tmp_path: Path
) -> None:
    key = farm.submit(
        source={"url": "http://outsider:8000/clip.mp4"},
        presets=["hls-h264", "mp4-720p", "thumbnails"],
        callback={"url": "http://outsider:8000/hook"},
        client_data="order 7",
    )

    job = farm.ended(key)

    assert job["state"] == "succeeded", job
    heard = wait_for(lambda: [one for one in farm.hooks() if key in one["body"]], seconds=30, what="the webhook")
    told = Webhook(farm.webhook_secret).verify(heard[0]["body"], {k.lower(): v for k, v in heard[0]["headers"].items()})
    assert told["type"] == "job.succeeded"
    assert told["data"]["client_data"] == "order 7"
    with farm.http() as client:
        for name in ("hls-h264", "mp4-720p", "thumbnails"):
            output = client.get(f"/v1/jobs/{key}/outputs/{name}").json()
            assert output["files"]
            for file in output["files"]:
                body = client.get(f"/v1/jobs/{key}/outputs/{name}/files/{file['path']}").content
                assert (len(body), hashlib.sha256(body).hexdigest()) == (file["bytes"], file["sha256"])
                target = tmp_path / name / file["path"]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(body)
    source = frames(str(clips / "clip.mp4"))
    assert frames(str(tmp_path / "mp4-720p" / "video.mp4")) == source
    for rung in (tmp_path / "hls-h264").glob("*p/index.m3u8"):
        assert frames(str(rung)) == source


def test_a_stream_plays_from_a_signed_link_without_a_key(farm: ContainerFarm) -> None:
    job = farm.ended(farm.submit(source={"url": "http://outsider:8000/clip.mp4"}, presets=["hls-h264"]))
    link = job["outputs"][0]["files_url"] + job["outputs"][0]["entry"]

    playlist = httpx.get(link, trust_env=False)

    assert playlist.status_code == 200
    assert playlist.headers["content-type"].startswith("application/vnd.apple.mpegurl")
    assert playlist.text.startswith("#EXTM3U")


def test_the_same_command_line_works_against_the_containers(farm: ContainerFarm, clips: Path) -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "omkt"),
            "submit",
            str(clips / "clip.mp4"),
            "--preset",
            "audio-aac",
            "--wait",
        ],
        cwd=ROOT,
        env=os.environ | {"OMKT_SERVER": f"http://127.0.0.1:{farm.port}", "OMKT_KEY": farm.key},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_name_inside_the_farm_is_refused_with_a_reason(farm: ContainerFarm) -> None:
    job = farm.ended(farm.submit(source={"url": "http://metadata/"}, presets=["mp4-720p"]), seconds=30)

    assert (job["state"], job["error"]["code"]) == ("failed", "source_address_refused")


def test_a_port_that_is_not_open_to_clients_is_refused_at_once(farm: ContainerFarm) -> None:
    with farm.http() as client:
        answer = client.post("/v1/jobs", json={"source": {"url": "http://mysql:3306/"}, "presets": ["mp4-720p"]})

    assert (answer.status_code, answer.json()["code"]) == (400, "source_address_refused")
