"""vp9: one film into VP9 on all cores of this machine, against ffmpeg's default, which does not fill them; in 720 and in 240
lines. How much faster than that anybody can be, the cores that it leaves idle say."""

import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import httpx
from bench.contest import Effort, farm_effort
from bench.films import film_of
from bench.report import Figure, report

from omkt_cli.farm.embedded import embedded_farm
from omkt_cli.farm.place import Place
from omkt_pipeline.media.tools import Tools, find_tools

PRESET = "webm-vp9-720p"
#: Lines of the picture, and seconds of it.
_FILMS = ((720, 60), (240, 600))
#: The preset's own words for the encoder, without those that spread its work over cores.
_VP9 = "-c:v libvpx-vp9 -deadline good -cpu-used 4 -crf 33 -b:v 1800k -g 100 -keyint_min 100 -pix_fmt yuv420p"
_SOUND = "-c:a libopus -b:a 96k"


def run() -> None:
    """Plain ffmpeg first, then the embedded farm, chunks and all."""
    tools, cores = find_tools(), len(os.sched_getaffinity(0))
    figures: list[Figure] = []
    for lines, seconds in _FILMS:
        with tempfile.TemporaryDirectory(prefix="omkt-bench-") as name:
            folder = Path(name)
            film = film_of(folder / "films", tools, lines=lines, seconds=seconds)
            plain = _plain(film, folder / "plain.webm", tools)
            effort = _farm(film, folder / "farm")
        figures += [
            Figure(name=f"{lines} lines: as fast as plain ffmpeg, times", value=plain.wall / effort.wall, at_least=1.5),
            Figure(name="with all cores busy it would be, times", value=cores * plain.wall / plain.cpu),
            Figure(name="farm", value=effort.wall, unit=" s"),
            Figure(name="plain ffmpeg", value=plain.wall, unit=" s"),
        ]
    report("vp9", figures, {"films": _FILMS, "ffmpeg": tools.version, "cores": cores})


def _farm(film: Path, folder: Path) -> Effort:
    with (
        embedded_farm(Place(folder), port=0) as farm,
        httpx.Client(
            base_url=farm.url, headers={"Authorization": f"Bearer {farm.key}"}, timeout=60, trust_env=False
        ) as client,
    ):
        return farm_effort(client, film.parent, lambda: 0.0, preset=PRESET)


def _plain(film: Path, target: Path, tools: Tools) -> Effort:
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-y", "-i", str(film), *_VP9.split(), *_SOUND.split()]
    before, begun = _children(), time.monotonic()
    subprocess.run([*argv, str(target)], check=True)
    return Effort(wall=time.monotonic() - begun, cpu=_children() - before)


def _children() -> float:
    """Processor seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
