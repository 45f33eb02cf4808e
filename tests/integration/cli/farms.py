"""Real embedded farms for tests: `omkt` as a process, and what it started."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from omkt_pipeline.media.tools import find_tools

OMKT = (sys.executable, "-m", "omkt_cli")
PATIENCE_SECONDS = 120.0
#: A worker that dies must be missed soon: a test waits for it.
QUICK = {"OMKT_LEASE_SECONDS": "4", "OMKT_BEAT_SECONDS": "1", "OMKT_BACKOFF_SECONDS": "0.5", "NO_COLOR": "1"}


def until(true: Callable[[], Any], what: str) -> Any:
    """Wait for something to come true and return it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come true")


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMKT_")}
    return kept | QUICK | more


def omkt(*arguments: str, cwd: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [*OMKT, *arguments],
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


class Up:
    """`omkt up` as a process."""

    def __init__(self, folder: Path, *arguments: str, **more: str) -> None:
        self.folder = folder
        self.output = folder / "up.txt"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*OMKT, "up", "--port", "0", *arguments],
                cwd=folder,
                env=environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def said(self) -> str:
        return self.output.read_text()

    def wait_until_ready(self) -> None:
        until(lambda: "The farm is up" in self.said() or self.process.poll() is not None, "the farm's start")
        assert self.process.poll() is None, self.said()

    def family(self) -> list[psutil.Process]:
        """Everything that the farm runs now: services, and the tools that they started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def service(self, module: str) -> psutil.Process:
        return next(one for one in self.family() if one.cmdline()[-1] == module)

    def omkt(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return omkt(*arguments, cwd=self.folder)

    def job(self, job_id: str) -> dict[str, Any]:
        shown = self.omkt("show", job_id, "--json")
        assert shown.returncode == 0, shown.stderr
        found: dict[str, Any] = json.loads(shown.stdout)
        return found


@contextmanager
def farm_up(folder: Path, **more: str) -> Iterator[Up]:
    """A farm that is up, with more settings; stopped at the end if the test has not done so."""
    up = Up(folder, **more)
    try:
        up.wait_until_ready()
        yield up
    finally:
        if up.process.poll() is None:
            up.process.send_signal(signal.SIGINT)
            up.process.wait(timeout=PATIENCE_SECONDS)


def gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them lives. One that nobody has buried yet is dead."""
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


def clip(folder: Path, *, seconds: float = 2.0, size: str = "320x180") -> Path:
    """A film of moving colours with a tone, made by the ffmpeg that the farm uses."""
    path = folder / "film.mp4"
    source = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25", "-f", "lavfi", "-i", "sine=frequency=440"]
    made = ["-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", str(path)]
    subprocess.run([str(find_tools().ffmpeg), "-v", "error", "-nostdin", "-y", *source, *made], check=True)
    return path
