"""farm: the embedded farm (SQLite, a folder) against plain ffmpeg on this machine."""

import os
import tempfile
from pathlib import Path

import httpx
from bench import plain
from bench.clips import clips
from bench.contest import Effort, farm_effort, tell
from bench.processes import cpu_seconds

from omkt_cli.farm.embedded import embedded_farm
from omkt_cli.farm.place import Place
from omkt_pipeline.media.tools import find_tools


def run() -> None:
    """Measure both baselines, then the farm."""
    tools = find_tools()
    files = clips(tools)
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="omkt-bench-") as folder:
        root = Path(folder)
        baselines = {
            "one at a time": Effort(*plain.measure(files, root / "a", at_once=1, threads=cores)),
            "one for each core": Effort(*plain.measure(files, root / "b", at_once=cores, threads=1)),
        }
        with embedded_farm(Place(root / "farm"), port=0) as farm:
            pids = farm.supervisor.pids()
            headers = {"Authorization": f"Bearer {farm.key}"}
            with httpx.Client(base_url=farm.url, headers=headers, timeout=60, trust_env=False) as client:
                effort = farm_effort(client, files, lambda: sum(cpu_seconds(pid) for pid in pids.values()))
    tell(
        "farm",
        effort,
        baselines,
        at_most=1.05,
        details={"ffmpeg": tools.version, "files": len(list(files.iterdir())), "cores": cores},
    )
