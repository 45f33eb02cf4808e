"""A farm of guests for the benchmarks, and films of natural pictures for it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.clips import source_folder
from bench.report import ROOT
from tests.farm import images
from tests.farm.farm import UP, Farm
from tests.farm.lab.lab import Lab, remove

from omkt_pipeline.media.tools import Tools, find_tools

#: Of the long film.
FILM_SECONDS = float(os.environ.get("OMKT_BENCH_FILM_SECONDS", "300"))
_SIZE = "854:480"


@contextmanager
def a_farm() -> Iterator[Farm]:
    """A farm of its own, or the one that `make farm-up` left (OMKT_FARM=up), as docs/operations.md advises: what reads a whole
    file and computes little runs where the disk is."""
    with _booted() as farm:
        farm.main.settings({"COMPOSE_PROFILES": "main,metadata"})
        farm.bring_up(farm.main)
        try:
            yield farm
        finally:
            farm.main.compose("rm", "--stop", "--force", "metadata")
            farm.main.settings({"COMPOSE_PROFILES": "main"})


@contextmanager
def _booted() -> Iterator[Farm]:
    if os.environ.get("OMKT_FARM") == "up":
        farm = Farm.running_in(UP)
        yield farm
        farm.close()
        return
    folder = ROOT / "var" / "farm" / "bench"
    farm = Farm(Lab.new(folder, images.disk()))
    try:
        farm.set_up("second", "third")
        yield farm
    finally:
        farm.close()
        remove(folder)


def make_films(folder: Path, seconds: float, count: int) -> list[Path]:
    """Films of natural pictures, each another part of the bench clips, one after the other and again from the first."""
    folder.mkdir()
    tools, sources = find_tools(), sorted(source_folder().glob("*.mp4"))
    alike = [_alike(source, folder / f"alike{number}.mp4", tools) for number, source in enumerate(sources)]
    (folder / "list.txt").write_text("".join(f"file '{one}'\n" for one in alike * 40))
    films = []
    for number in range(count):
        films.append(folder / f"film{number:02d}.mp4")
        source = ["-f", "concat", "-safe", "0", "-i", str(folder / "list.txt"), "-ss", f"{number * seconds:.3f}"]
        picture = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"]
        words = [*source, "-t", f"{seconds:g}", *picture, "-c:a", "aac", str(films[-1])]
        subprocess.run([str(tools.ffmpeg), "-v", "error", "-nostdin", "-y", *words], check=True)
    return films


def _alike(source: Path, target: Path, tools: Tools) -> Path:
    """A clip in the size and at the rate of all others, with sound: so that they can follow each other."""
    silence = ["-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo"]
    mixed = ["-filter_complex", f"[0:v]scale={_SIZE},setsar=1,fps=25[v]", "-map", "[v]", "-map", "1:a", "-shortest"]
    words = [
        "-i",
        str(source),
        *silence,
        *mixed,
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-crf",
        "12",
        "-c:a",
        "aac",
    ]
    subprocess.run([str(tools.ffmpeg), "-v", "error", "-nostdin", "-y", *words, str(target)], check=True)
    return target
