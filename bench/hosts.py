"""hosts: two secondary hosts against one, over real NFS (tests/farm), beside plain ffmpeg on the same guests as the control.

A guest is a User-Mode Linux machine with one core. What the machine below takes away from two guests that work at once, the
control shows: the same films, cut in two, one plain ffmpeg in each guest.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import plain
from bench.farms import FILM_SECONDS, a_farm, make_films
from bench.processes import cpu_seconds
from bench.report import Figure, report
from tests.farm import images
from tests.farm.client import FINAL
from tests.farm.farm import Farm
from tests.farm.host import Host

from omkt_pipeline.media.tools import find_tools

BATCH = int(os.environ.get("OMKT_BENCH_BATCH", "20"))
BATCH_SECONDS = 10.0
_PATIENCE_SECONDS = 3600.0
_LOOK_SECONDS = 20.0


def run() -> None:
    """Measure on a farm of guests."""
    with tempfile.TemporaryDirectory(prefix="omkt-bench-") as folder, a_farm() as farm:
        work = Path(folder)
        film, batch = make_films(work / "film", FILM_SECONDS, 1), make_films(work / "batch", BATCH_SECONDS, BATCH)
        for host in farm.hosts:
            host.guest.spread()  # where each had its core, three of them would not share two evenly
        speedups = {name: _speed_up(farm, name, clips) for name, clips in (("film", film), ("batch", batch))}
    report("hosts", _figures(speedups), speedups)


def _figures(speedups: dict[str, Any]) -> list[Figure]:
    film, batch = speedups["film"], speedups["batch"]
    return [
        Figure(name="one long film on two hosts, of the control's speed-up", value=film["ratio"], at_least=0.95),
        Figure(name="a batch", value=batch["ratio"], at_least=0.97),
        Figure(name="bytes over NFS, film, of source and outputs", value=film["nfs_ratio"], at_most=1.15),
        Figure(name="batch", value=batch["nfs_ratio"], at_most=1.15),
    ]


def _speed_up(farm: Farm, name: str, films: list[Path]) -> dict[str, Any]:
    """How much faster two hosts are than one: the farm, and plain ffmpegs in the same guests.

    The farm and its control take turns: the machine below is not as fast in one half hour as in the next.
    """
    second, third = farm.secondaries.values()
    _order(farm, "drain", third)
    alone = _jobs(farm, films)
    _order(farm, "drain", second)
    one = _plain(farm, {second: films}, name)
    _order(farm, "resume", second, third)
    both = _jobs(farm, films)
    _order(farm, "drain", second, third)
    halves = _halves(films) if len(films) == 1 else [films[::2], films[1::2]]
    two = _plain(farm, {second: halves[0], third: halves[1]}, f"{name}-halves")
    _order(farm, "resume", second, third)
    farm_gain, control = alone["wall"] / both["wall"], one / two
    return {
        "ratio": farm_gain / control, "farm_speed_up": farm_gain, "control_speed_up": control, "alone": alone,
        "both": both, "plain_one": one, "plain_two": two, "nfs_ratio": both["nfs_bytes"] / both["content_bytes"],
    }  # fmt: skip


def _jobs(farm: Farm, films: list[Path]) -> dict[str, Any]:
    """All films through the farm; wall time by the farm's clock, and bytes that the secondaries moved over NFS."""
    before, cpu = _nfs_bytes(farm), _cpu(farm)
    keys = [farm.client.submit(film, plain.PRESET) for film in films]
    jobs = [_ended(farm, key) for key in keys]
    bad = [job for job in jobs if job["state"] != "succeeded"]
    if bad:
        raise RuntimeError(f"not all jobs succeeded: {bad}")
    first = min(datetime.fromisoformat(job["created_at"]) for job in jobs)
    last = max(datetime.fromisoformat(job["finished_at"]) for job in jobs)
    made = sum(
        file["bytes"] for key in keys for file in farm.client.get(f"/v1/jobs/{key}/outputs/{plain.PRESET}")["files"]
    )
    return {
        "cpu": {name: round(spent - cpu[name], 1) for name, spent in _cpu(farm).items()},
        "attempts": [line for key in keys for line in _attempts(farm, key)],
        "wall": (last - first).total_seconds(),
        "nfs_bytes": _nfs_bytes(farm) - before,
        "content_bytes": made + sum(film.stat().st_size for film in films),
    }


def _ended(farm: Farm, key: str) -> Any:
    """The job at its end. It is seldom asked for: the main host shares two cores with those that are measured, and answering
    is its work, which the control does not have."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while farm.client.job(key)["state"] not in FINAL and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    return farm.client.ended(key, seconds=_LOOK_SECONDS)


def _cpu(farm: Farm) -> dict[str, float]:
    """CPU seconds that each guest has taken from the machine so far: three of them share it."""
    return {host.name: cpu_seconds(host.guest.pid) for host in farm.hosts}


def _attempts(farm: Farm, key: str) -> list[str]:
    """Who did what of a job, and when: what explains a figure that is missed."""
    return [
        f"{task['kind']} {tried['host']} {tried['started_at']} {tried['ended_at']} {tried['outcome']}"
        for task in farm.client.tasks(key)
        for tried in task["history"]
    ]


def _nfs_bytes(farm: Farm) -> int:
    """What the secondaries' mounts of the share read from and wrote to the server so far."""
    total = 0
    for host in farm.secondaries.values():
        (container, *_) = host.containers("metadata")
        stats = host.guest.run("docker", "exec", container, "cat", "/proc/self/mountstats").out
        share = next(part for part in stats.split("device ") if " on /share " in part)
        line = next(line for line in share.splitlines() if line.strip().startswith("bytes:"))
        *_, server_read, server_written, _, _ = map(int, line.split()[1:])
        total += server_read + server_written
    return total


def _order(farm: Farm, verb: str, *hosts: Host) -> None:
    for host in hosts:
        farm.main.compose("run", "--rm", "-T", "admin", "hosts", verb, host.name)
    time.sleep(12)  # it hears of it when it signs


def _halves(films: list[Path]) -> list[list[Path]]:
    (film,) = films
    halves = []
    for name, where in (("first", ["-t", f"{FILM_SECONDS / 2:g}"]), ("last", ["-ss", f"{FILM_SECONDS / 2:g}"])):
        halves.append(film.with_name(f"{name}.mp4"))
        words = [*where, "-i", str(film), "-c", "copy", str(halves[-1])]
        subprocess.run([str(find_tools().ffmpeg), "-v", "error", "-nostdin", "-y", *words], check=True)
    return [[half] for half in halves]


def _plain(farm: Farm, work: dict[Host, list[Path]], name: str) -> float:
    """Seconds that plain ffmpegs in these guests need, all guests at once, for the one that ends last."""
    folder = farm.lab.folder / "bench"
    shutil.copytree(Path(plain.__file__).parent, folder, ignore=shutil.ignore_patterns("results"), dirs_exist_ok=True)
    for host, films in work.items():
        clips = folder / name / host.name
        clips.mkdir(parents=True, exist_ok=True)
        for film in films:
            shutil.copy(film, clips)
    subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)

    def one(host: Host) -> float:
        inside = f"/opt/bench-{name}"
        host.guest.sh(f"cp -r /lab/bench/{name}/{host.name} {inside} && cp /lab/bench/plain.py /opt/plain.py")
        made = host.guest.run(
            "docker", "run", "--rm", "--network=none", f"--volume={inside}:/clips:ro",
            "--volume=/opt/plain.py:/plain.py:ro", "--entrypoint=python", f"omkt-transcoder:{images.VERSION}",
            "/plain.py", "/clips", "/scratch/made", "1", "1", seconds=_PATIENCE_SECONDS,
        )  # fmt: skip
        host.guest.sh(f"rm -rf {inside}")
        return float(json.loads(made.out)["wall"])

    with ThreadPoolExecutor(len(work)) as pool:
        return max(pool.map(one, work))
