"""The embedded farm as its user meets it."""

import json
import signal
import subprocess
from pathlib import Path

import psutil
from tests.integration.cli.farms import OMKT, clip, environment, farm_up, gone, omkt, until


def test_transcode_makes_a_file_without_a_server_and_leaves_no_process(folder: Path) -> None:
    film = clip(folder)

    done = omkt("transcode", film.name, "-p", "mp4-720p", "-p", "audio-aac", "--json", cwd=folder)

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["job"]["state"] == "succeeded"
    made = {preset: folder / path for preset, path in answer["files"].items()}
    assert made == {
        "mp4-720p": folder / "film-omkt" / "mp4-720p.mp4",
        "audio-aac": folder / "film-omkt" / "audio-aac.m4a",
    }
    assert all(path.stat().st_size > 1000 for path in made.values())


def test_transcode_says_what_is_wrong_with_a_file_that_is_no_film(folder: Path) -> None:
    (folder / "letter.mp4").write_text("Dear Sir or Madam,\n" * 100)

    done = omkt("transcode", "letter.mp4", "-p", "mp4-720p", cwd=folder)

    assert done.returncode == 1
    assert "source_" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "letter-omkt").exists()


def test_an_unknown_preset_is_named(folder: Path) -> None:
    film = clip(folder)

    done = omkt("transcode", film.name, "-p", "betamax", cwd=folder)

    assert done.returncode == 1
    assert "betamax" in done.stderr
    assert "preset_unknown" in done.stderr


def test_up_serves_submit_jobs_and_download_until_it_is_interrupted(folder: Path) -> None:
    film = clip(folder)
    with farm_up(folder) as up:
        assert "hls-h264" in up.omkt("presets").stdout
        submitted = up.omkt("submit", film.name, "-p", "audio-aac")
        job_id = submitted.stdout.strip()
        assert up.omkt("watch", job_id).returncode == 0
        assert job_id in up.omkt("jobs").stdout
        assert up.omkt("download", job_id, "-o", "here").returncode == 0
        assert (folder / "here" / "audio-aac.m4a").exists()
        family = up.family()

        up.process.send_signal(signal.SIGINT)

        assert up.process.wait(timeout=60) == 0
        assert gone(family)
        assert "The farm has stopped" in up.said()


def test_what_shall_come_first_can_be_played_while_the_rest_is_made(folder: Path) -> None:
    film = clip(folder, seconds=20, size="1280x720")
    with farm_up(folder) as up:
        submitted = up.omkt("submit", film.name, "-p", "hls-h264", "-p", "mp4-480p", "--first", "mp4-480p")
        job_id = submitted.stdout.strip()

        def published() -> dict[str, str]:
            outputs = {one["id"]: one["state"] for one in up.job(job_id)["outputs"]}
            return outputs if outputs.get("mp4-480p") == "published" else {}

        seen = until(published, "the output that comes first")
        assert seen["hls-h264"] == "pending"
        assert up.omkt("watch", job_id).returncode == 0


def test_the_key_is_for_its_owner_alone_and_stays_the_same(folder: Path) -> None:
    key_file = folder / "var" / "farm" / "key"
    with farm_up(folder):
        first = key_file.read_text()
        assert key_file.stat().st_mode & 0o077 == 0
    with farm_up(folder):
        assert key_file.read_text() == first


def test_a_second_farm_on_the_same_folder_is_refused(folder: Path) -> None:
    with farm_up(folder) as up:
        second = omkt("up", cwd=folder)

        assert second.returncode == 1
        assert f"process {up.process.pid}" in second.stderr
        assert up.omkt("jobs").returncode == 0


def test_a_service_that_cannot_start_ends_the_command_with_its_reason(folder: Path) -> None:
    done = omkt("up", "--port", "0", cwd=folder, OMKT_FFMPEG="/nowhere/ffmpeg")

    assert done.returncode == 1
    assert "ffmpeg was not found at /nowhere/ffmpeg" in done.stderr
    assert "Traceback" not in done.stderr


def test_transcode_uses_the_farm_that_runs_already(folder: Path) -> None:
    film = clip(folder)
    with farm_up(folder) as up:
        done = up.omkt("transcode", film.name, "-p", "audio-aac")

        assert done.returncode == 0, done.stderr
        assert (folder / "film-omkt" / "audio-aac.m4a").exists()
        assert len(json.loads(up.omkt("jobs", "--json").stdout)) == 1


def test_an_interrupted_transcode_cancels_its_job_and_leaves_no_process(folder: Path) -> None:
    film = clip(folder, seconds=60, size="1280x720")
    told = folder / "told.txt"
    with told.open("wb") as output:
        running = subprocess.Popen(
            [*OMKT, "transcode", film.name, "-p", "hls-h264"],
            cwd=folder,
            env=environment(OMKT_HTTP_PORT="0"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    until(lambda: "encoding" in told.read_text(), "the encoding")
    family = psutil.Process(running.pid).children(recursive=True)

    running.send_signal(signal.SIGINT)

    assert running.wait(timeout=60) == 130
    assert gone(family)
    with farm_up(folder) as up:
        assert json.loads(up.omkt("jobs", "--json").stdout)[0]["state"] == "cancelled"
