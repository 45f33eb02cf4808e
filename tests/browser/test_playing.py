"""What the farm delivers plays in a real browser, from the farm's own address: start, seek, end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, sync_playwright

from omkt_pipeline.media.tools import find_tools

ROOT = Path(__file__).resolve().parents[2]
OMKT = str(Path(sys.executable).parent / "omkt")
PATIENCE_SECONDS = 30.0
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --autoplay-policy=no-user-gesture-required"
)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An embedded farm that transcodes and goes on serving; the environment in which commands find it."""
    root = tmp_path_factory.mktemp("farm")
    environment = os.environ | {"OMKT_FARM": str(root)}
    process = subprocess.Popen(
        [OMKT, "up", "--root", str(root), "--port", "0"], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        yield environment
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


@pytest.fixture(scope="module")
def job(farm: dict[str, str]) -> dict[str, object]:
    """The demo's clip, transcoded."""
    return _transcoded(ROOT / "demo" / "clip.mp4", ["hls-h264", "mp4-720p"], farm)


@pytest.fixture(scope="module")
def titled(farm: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The same with titles, transcoded."""
    folder = tmp_path_factory.mktemp("titled")
    (folder / "titles.srt").write_text("1\n00:00:01,000 --> 00:00:03,000\nGood morning\n")
    film = folder / "film.mkv"
    words = ["-i", str(ROOT / "demo" / "clip.mp4"), "-i", str(folder / "titles.srt"), "-map", "0", "-map", "1"]
    argv = [str(find_tools().ffmpeg), "-v", "error", "-nostdin", *words, "-c", "copy", "-c:s", "srt"]
    subprocess.run([*argv, "-metadata:s:s:0", "language=eng", str(film)], check=True)
    return _transcoded(film, ["hls-h264"], farm)


def _transcoded(source: Path, presets: list[str], environment: dict[str, str]) -> dict[str, object]:
    words = [word for preset in presets for word in ("--preset", preset)]
    done: dict[str, object] = json.loads(
        _patiently([OMKT, "submit", str(source), *words, "--wait", "--json"], environment)
    )
    return done


def _patiently(command: list[str], environment: dict[str, str]) -> str:
    """Run the command until the farm that it needs is up."""
    for _ in range(60):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=200)
        if done.returncode == 0:
            return done.stdout
        if done.returncode != 3:
            break
    raise AssertionError(done.stdout + done.stderr)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET.split())
        yield browser.new_page(viewport={"width": 1280, "height": 800})
        browser.close()


def output(job: dict[str, object], preset: str) -> dict[str, str]:
    outputs = job["outputs"]
    assert isinstance(outputs, list)
    return next(one for one in outputs if one["preset"] == preset)


def until(page: Page, truth: str) -> None:
    """Wait for a truth about the video. Asked from outside: the page's own policy allows no evaluation inside."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not page.evaluate(f"(video => {truth})(document.getElementById('video'))"):
        assert time.monotonic() < deadline, (truth, page.locator("#failure").inner_text())
        page.wait_for_timeout(50)


#: A page of the farm's own origin that plays DASH with Shaka Player.
DASH_PAGE = """<!DOCTYPE html><video id="video"></video><p id="failure" hidden></p><script src="/shaka.js"></script>"""
START = """manifest => {
  const video = document.getElementById('video'), player = new shaka.Player();
  window.player = player;
  player.addEventListener('error', event => { document.getElementById('failure').textContent = event.detail.code; });
  return player.attach(video).then(() => player.load(manifest));
}"""


def start_shaka(page: Page, files: str) -> None:
    origin = files.split("/v1/", maxsplit=1)[0]
    shaka = (Path(__file__).parent / "vendor" / "shaka-player.dash.js").read_text()
    page.route(f"{origin}/dash.html", lambda route: route.fulfill(body=DASH_PAGE, content_type="text/html"))
    page.route(f"{origin}/shaka.js", lambda route: route.fulfill(body=shaka, content_type="text/javascript"))
    page.goto(f"{origin}/dash.html")
    page.evaluate(START, f"{files}manifest.mpd")


def test_the_same_segments_play_as_dash(job: dict[str, object], page: Page) -> None:
    video = "document.getElementById('video')"
    start_shaka(page, output(job, "hls-h264")["files_url"])

    page.evaluate(f"{video}.muted = true; {video}.play()")

    until(page, "video.currentTime > 1")
    assert page.evaluate(f"{video}.duration") == pytest.approx(10.4, abs=0.2)
    assert len(page.evaluate("player.getVariantTracks()")) == len(output(job, "hls-h264")["result"]["renditions"])  # type: ignore[index]
    page.evaluate(f"{video}.currentTime = 6")
    until(page, "video.currentTime > 6.5")
    page.evaluate(f"{video}.currentTime = 9.8")
    until(page, "video.ended")
    assert page.locator("#failure").inner_text() == ""


def test_titles_are_shown_at_their_time(titled: dict[str, object], page: Page) -> None:
    cue = "[...video.textTracks].flatMap(track => [...(track.cues || [])]).map(cue => [cue.startTime, cue.endTime, cue.text])"
    page.goto(output(titled, "hls-h264")["play_url"])
    until(page, "video.textTracks.length === 1")
    page.evaluate("document.getElementById('video').textTracks[0].mode = 'showing'")
    until(page, f"{cue}.length > 0")
    (by_hls,) = page.evaluate(f"(video => {cue})(document.getElementById('video'))")

    start_shaka(page, output(titled, "hls-h264")["files_url"])
    page.evaluate("player.selectTextTrack(player.getTextTracks()[0]); player.setTextTrackVisibility(true)")
    until(page, f"{cue}.length > 0")
    (by_dash,) = page.evaluate(f"(video => {cue})(document.getElementById('video'))")

    assert [by_hls[2], by_dash[2]] == ["Good morning"] * 2
    # Matroska has no negative times: all tracks of the copy lie a little later.
    assert [*by_hls[:2], *by_dash[:2]] == pytest.approx([1.0, 3.0, 1.0, 3.0], abs=0.15)


@pytest.mark.parametrize("preset", ["hls-h264", "mp4-720p"])
def test_it_starts_seeks_and_ends(preset: str, job: dict[str, object], page: Page, tmp_path: Path) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    video = "document.getElementById('video')"
    page.goto(output(job, preset)["play_url"])
    until(page, "video.readyState >= 2")
    page.evaluate(f"{video}.muted = true; {video}.play()")
    until(page, "video.currentTime > 1")
    page.screenshot(path=os.environ.get("OMKT_SCREENSHOT", str(tmp_path / "playing.png")))

    assert page.evaluate(f"{video}.duration") == pytest.approx(10.4, abs=0.2)
    assert page.evaluate(f"{video}.videoHeight") > 0
    page.evaluate(f"{video}.currentTime = 6")
    until(page, "video.currentTime > 6.5")
    page.evaluate(f"{video}.currentTime = 9.8")
    until(page, "video.ended")
    assert page.evaluate(f"{video}.getVideoPlaybackQuality().totalVideoFrames") > 24
    assert page.locator("#failure").is_hidden()
    assert complaints == []


def test_an_address_that_was_tampered_with_is_refused(job: dict[str, object]) -> None:
    address = output(job, "hls-h264")["play_url"]

    assert httpx.get(address[:-2] + "xx", trust_env=False).status_code in (403, 404)
