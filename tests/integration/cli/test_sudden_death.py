"""kill -9 of what an embedded farm is made of."""

import signal
from pathlib import Path

import pytest
from tests.integration.cli.farms import PATIENCE_SECONDS, Up, clip, farm_up, gone, until


def encoding(up: Up, job_id: str) -> bool:
    job = up.job(job_id)
    assert job["state"] in ("queued", "running"), f"the film is too short to be met while it is encoded: {job}"
    return bool(job["state"] == "running" and job["stage"] == "encode")


@pytest.mark.parametrize("module", ["omkt_api", "omkt_api.courier", "omkt_metadata", "omkt_transcoder"])
def test_a_job_succeeds_although_a_service_is_killed_meanwhile(folder: Path, module: str) -> None:
    film = clip(folder, seconds=15, size="640x360")
    with farm_up(folder) as up:
        job_id = up.omkt("submit", film.name, "-p", "mp4-720p").stdout.strip()
        until(lambda: encoding(up, job_id), "the encoding")

        up.service(module).kill()

        watched = up.omkt("watch", job_id)
        assert watched.returncode == 0, watched.stderr
        assert "was killed (SIGKILL); starting it again" in until(
            lambda: "starting it again" in up.said() and up.said(), "the news"
        )


def test_a_farm_whose_supervisor_is_killed_leaves_no_orphan_and_goes_on_later(folder: Path) -> None:
    film = clip(folder, seconds=15, size="640x360")
    up = Up(folder)
    up.wait_until_ready()
    job_id = up.omkt("submit", film.name, "-p", "mp4-720p").stdout.strip()
    until(lambda: encoding(up, job_id), "the encoding")
    family = up.family()

    up.process.send_signal(signal.SIGKILL)
    up.process.wait(timeout=PATIENCE_SECONDS)

    until(lambda: gone(family), "the end of all processes")
    with farm_up(folder) as again:
        watched = again.omkt("watch", job_id)
        assert watched.returncode == 0, watched.stderr
