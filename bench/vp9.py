"""vp9: one film into VP9 on all cores of this machine, against ffmpeg's default, which does not fill them."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

import httpx
from bench.clips import source_folder
from bench.contest import farm_effort
from bench.report import Figure, report

from omkt_cli.farm.embedded import embedded_farm
from omkt_cli.farm.place import Place
from omkt_pipeline.media.tools import Tools, find_tools

PRESET = "webm-vp9-720p"
_SECONDS = 60
#: The preset's own words for the encoder, without those that spread its work over cores.
_VP9 = "-c:v libvpx-vp9 -deadline good -cpu-used 4 -crf 33 -b:v 1800k -g 100 -keyint_min 100 -pix_fmt yuv420p"
_SOUND = "-c:a libopus -b:a 96k"


def run() -> None:
    """Plain ffmpeg first, then the embedded farm, chunks and all."""
    tools = find_tools()
    with tempfile.TemporaryDirectory(prefix="omkt-bench-") as name:
        folder = Path(name)
        film = _film(folder / "films", tools)
        plain = _plain(film, folder / "plain.webm", tools)
        with (
            embedded_farm(Place(folder / "farm"), port=0) as farm,
            httpx.Client(
                base_url=farm.url, headers={"Authorization": f"Bearer {farm.key}"}, timeout=60, trust_env=False
            ) as client,
        ):
            effort = farm_effort(client, film.parent, lambda: 0.0, preset=PRESET)
    report(
        "vp9",
        [
            Figure(name="as fast as plain ffmpeg, times", value=plain / effort.wall, at_least=1.5),
            Figure(name="farm", value=effort.wall, unit=" s"),
            Figure(name="plain ffmpeg", value=plain, unit=" s"),
        ],
        {"seconds": _SECONDS, "ffmpeg": tools.version, "cores": len(os.sched_getaffinity(0))},
    )


def _film(folder: Path, tools: Tools) -> Path:
    """A minute of the bench clips, one after the other, in 720 lines."""
    folder.mkdir()
    film = folder / "film.mp4"
    clips = sorted(source_folder().glob("*.mp4"))
    (folder / "list.txt").write_text("".join(f"file '{clip}'\n" for clip in clips * 10))
    words = ["-v", "error", "-nostdin", "-y", "-f", "concat", "-safe", "0", "-i", str(folder / "list.txt")]
    picture = ["-vf", "scale=1280:720,setsar=1,fps=25", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18"]
    argv = [str(tools.ffmpeg), *words, "-t", str(_SECONDS), *picture, "-pix_fmt", "yuv420p", "-c:a", "aac", str(film)]
    subprocess.run(argv, check=True)
    return film


def _plain(film: Path, target: Path, tools: Tools) -> float:
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-y", "-i", str(film), *_VP9.split(), *_SOUND.split()]
    begun = time.monotonic()
    subprocess.run([*argv, str(target)], check=True)
    return time.monotonic() - begun
