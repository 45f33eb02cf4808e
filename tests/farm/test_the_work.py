"""The procedure that the farm is for: a main host serves, secondaries transcode, results are right."""

import hashlib
from pathlib import Path

import pytest

from tests.farm.client import wait_for
from tests.farm.farm import Farm
from tests.farm.verdict import judge

pytestmark = pytest.mark.short


def test_secondaries_do_a_job_while_the_main_host_transcodes_nothing(farm: Farm, films: Path) -> None:
    key = farm.client.submit(films / "short.mp4", "mp4-720p", "thumbnails")

    job = farm.client.ended(key)

    assert job["state"] == "succeeded", job
    worked = {tried["host"] for task in farm.client.tasks(key) for tried in task["history"]}
    assert worked <= set(farm.secondaries), worked
    assert farm.main.media_tools() == []
    assert set(farm.client.seen) >= {f"{key}/mp4-720p", f"{key}/thumbnails"}
    judge(farm)


def test_both_secondaries_give_the_same_bytes_over_the_share(farm: Farm, films: Path) -> None:
    """What a secondary stored is read back by the main host and by the other secondary: one file, one checksum."""
    key = farm.client.submit(films / "short.mp4", "mp4-720p")
    assert farm.client.ended(key)["state"] == "succeeded"
    told = farm.client.get(f"/v1/jobs/{key}/outputs/mp4-720p")["files"][0]["sha256"]

    (path,) = farm.main.guest.sh(f"find /srv/omkt/results/{key} -type f").split()
    assert farm.main.guest.sh(f"sha256sum {path}").split()[0] == told
    for host in farm.secondaries.values():
        (container, *_) = host.containers("transcoder")
        inside = path.replace("/srv/omkt", "/share")
        assert host.guest.run("docker", "exec", container, "sha256sum", inside).out.split()[0] == told
        mounted = host.guest.run("docker", "exec", container, "grep", " /share ", "/proc/mounts").out
        assert "nfs4" in mounted
        assert "vers=4.2" in mounted
        assert "hard" in mounted
    assert (
        hashlib.sha256(
            farm.client.request("GET", f"/v1/jobs/{key}/outputs/mp4-720p/files/video.mp4").content
        ).hexdigest()
        == told
    )


def test_scaling_up_and_down_under_load_loses_and_repeats_nothing(farm: Farm, films: Path) -> None:
    second = farm.secondaries["second"]
    keys = [farm.client.submit(films / "short.mp4", "mp4-720p") for _ in range(4)]
    farm.bring_up(second, "--scale", "transcoder=3")
    assert len(second.containers("transcoder")) == 3
    wait_for(lambda: any(farm.client.running(key) for key in keys) or all_ended(farm, keys), seconds=300, what="work")
    farm.bring_up(second, "--scale", "transcoder=1")

    assert [farm.client.ended(key)["state"] for key in keys] == ["succeeded"] * 4
    outcomes = {tried["outcome"] for key in keys for task in farm.client.tasks(key) for tried in task["history"]}
    assert outcomes <= {"ok", "released"}, outcomes
    judge(farm)


def all_ended(farm: Farm, keys: list[str]) -> bool:
    return all(farm.client.job(key)["state"] == "succeeded" for key in keys)
