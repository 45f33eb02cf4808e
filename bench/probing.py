"""probing: what finding out all about a file costs, against ffprobe that counts its packets and does nothing else."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.clips import source_folder
from bench.processes import cpu_seconds
from bench.report import Figure, percentile, report

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.media.probing import probe
from omkt_pipeline.media.tools import Tools, find_tools

_SECONDS = 1800
_TURNS = 9
#: Kinds of files, with what becomes of the clip's streams.
_KINDS = {"mp4": "-c copy", "mov": "-c copy -c:a pcm_s16le", "mkv": "-c copy", "ts": "-c copy"}


def run() -> None:
    """A long film in each kind of file, probed by turns in both ways."""
    tools = find_tools()
    figures: list[Figure] = []
    runs: dict[str, object] = {"seconds": _SECONDS, "ffmpeg": tools.version}
    with tempfile.TemporaryDirectory(prefix="omkt-bench-") as folder:
        for kind in _KINDS:
            film = _film(Path(folder), kind, tools)
            ours, bare = [], []
            for _ in range(_TURNS):
                ours.append(_timed(partial(probe, film, tools=tools, limits=Limits())))
                bare.append(_timed(partial(_counted, film, tools)))
            figures += _figures(kind, ours, bare)
            runs[kind] = {"bytes": film.stat().st_size, "ours": ours, "bare": bare}
            film.unlink()
    report("probing", figures, runs)


def _figures(kind: str, ours: list[tuple[float, float]], bare: list[tuple[float, float]]) -> list[Figure]:
    both = (zip(*one, strict=True) for one in (ours, bare))
    (wall, cpu), (bare_wall, bare_cpu) = ([percentile(one, 50) for one in way] for way in both)
    return [
        Figure(name=f"{kind}: wall against ffprobe -count_packets", value=wall / bare_wall, at_most=1.2),
        Figure(name=f"{kind}: CPU", value=cpu / bare_cpu, at_most=1.2),
        Figure(name=f"{kind}: probing", value=wall, unit=" s"),
    ]


def _film(folder: Path, kind: str, tools: Tools) -> Path:
    """Half an hour, with its streams copied out of the bench clips again and again."""
    clip = sorted(source_folder().glob("*.mp4"))[0]
    film = folder / f"film.{kind}"
    words = ["-v", "error", "-nostdin", "-y", "-stream_loop", "-1", "-i", str(clip), "-t", str(_SECONDS)]
    subprocess.run([str(tools.ffmpeg), *words, *_KINDS[kind].split(), str(film)], check=True)
    return film


def _counted(film: Path, tools: Tools) -> None:
    argv = [str(tools.ffprobe), "-v", "error", "-count_packets", "-show_streams", "-of", "json", str(film)]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall and of CPU, this process and its children."""
    cpu, begun = cpu_seconds(os.getpid()), time.monotonic()
    work()
    return time.monotonic() - begun, cpu_seconds(os.getpid()) - cpu
