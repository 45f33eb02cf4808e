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

ROOT = Path(__file__).resolve().parents[2]
OMKT = str(Path(sys.executable).parent / "omkt")
PATIENCE_SECONDS = 30.0
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --autoplay-policy=no-user-gesture-required"
)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """The demo's clip, transcoded on an embedded farm that goes on serving it."""
    root = tmp_path_factory.mktemp("farm")
    environment = os.environ | {"OMKT_FARM": str(root)}
    farm = subprocess.Popen(
        [OMKT, "up", "--root", str(root), "--port", "0"], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        submit = [OMKT, "submit", str(ROOT / "demo" / "clip.mp4"), "--preset", "hls-h264", "--preset", "mp4-720p"]
        done = _patiently([*submit, "--wait", "--json"], environment)
        yield json.loads(done)
    finally:
        farm.send_signal(signal.SIGINT)
        farm.wait(30)


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


def test_the_same_segments_play_as_dash(job: dict[str, object], page: Page) -> None:
    files = output(job, "hls-h264")["files_url"]
    origin = files.split("/v1/")[0]
    shaka = (Path(__file__).parent / "vendor" / "shaka-player.dash.js").read_text()
    page.route(f"{origin}/dash.html", lambda route: route.fulfill(body=DASH_PAGE, content_type="text/html"))
    page.route(f"{origin}/shaka.js", lambda route: route.fulfill(body=shaka, content_type="text/javascript"))
    video = "document.getElementById('video')"
    page.goto(f"{origin}/dash.html")

    page.evaluate(START, f"{files}manifest.mpd")
    page.evaluate(f"{video}.muted = true; {video}.play()")

    until(page, "video.currentTime > 1")
    assert page.evaluate(f"{video}.duration") == pytest.approx(10.4, abs=0.2)
    assert len(page.evaluate("player.getVariantTracks()")) == len(output(job, "hls-h264")["result"]["renditions"])  # type: ignore[index]
    page.evaluate(f"{video}.currentTime = 6")
    until(page, "video.currentTime > 6.5")
    page.evaluate(f"{video}.currentTime = 9.8")
    until(page, "video.ended")
    assert page.locator("#failure").inner_text() == ""


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
