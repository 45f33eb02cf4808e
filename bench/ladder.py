"""ladder: one long film into the ladder of hls-h264, in chunks on all cores of this machine, against plain ffmpeg's best."""

import os
import tempfile
from pathlib import Path

import httpx
from bench import plain
from bench.contest import Effort, farm_effort, tell
from bench.films import film_of, part_of
from bench.processes import cpu_seconds

from omkt_cli.farm.embedded import embedded_farm
from omkt_cli.farm.place import Place
from omkt_pipeline.media.tools import find_tools

SECONDS = 240
_LINES = 720  #: four rungs


def run() -> None:
    """One ffmpeg with all cores, then one for each core with its part of the film, then the farm."""
    tools, cores = find_tools(), len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="omkt-bench-") as folder:
        root = Path(folder)
        film = film_of(root / "film", tools, lines=_LINES, seconds=SECONDS)
        parts = root / "parts"
        parts.mkdir()
        for number in range(cores):
            part_of(film, parts / f"{number}.mp4", tools, begin=number * SECONDS / cores, seconds=SECONDS / cores)
        baselines = {
            "one with all cores": Effort(*plain.measure(film.parent, root / "a", at_once=1, threads=cores)),
            "one for each core, each a part": Effort(*plain.measure(parts, root / "b", at_once=cores, threads=1)),
        }
        with embedded_farm(Place(root / "farm"), port=0) as farm:
            pids = farm.supervisor.pids()
            headers = {"Authorization": f"Bearer {farm.key}"}
            with httpx.Client(base_url=farm.url, headers=headers, timeout=60, trust_env=False) as client:
                effort = farm_effort(client, film.parent, lambda: sum(cpu_seconds(pid) for pid in pids.values()))
    details = {"ffmpeg": tools.version, "seconds": SECONDS, "lines": _LINES, "cores": cores}
    tell("ladder", effort, baselines, at_most=1.03, cpu_at_most=1.03, details=details)
