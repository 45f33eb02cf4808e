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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import plain
from bench.clips import source_folder
from bench.report import ROOT, Figure, percentile, report
from tests.farm import images
from tests.farm.client import wait_for
from tests.farm.farm import SETTINGS, UP, Farm
from tests.farm.host import Host
from tests.farm.lab.lab import Lab, remove

from omkt_pipeline.media.tools import Tools, find_tools

FILM_SECONDS = float(os.environ.get("OMKT_BENCH_FILM_SECONDS", "300"))
BATCH = int(os.environ.get("OMKT_BENCH_BATCH", "20"))
BATCH_SECONDS = 10.0
KILLS = int(os.environ.get("OMKT_BENCH_KILLS", "20"))
_SIZE = "854:480"
_PATIENCE_SECONDS = 3600.0
_ENDED = ("done", "failed", "cancelled")


def run() -> None:
    """Bring up a farm of its own, or take the one that `make farm-up` left (OMKT_FARM=up), and measure."""
    with tempfile.TemporaryDirectory(prefix="omkt-bench-") as folder, _farm() as farm:
        # As docs/operations.md advises: what reads a whole file and computes little runs where the disk is.
        farm.main.settings({"COMPOSE_PROFILES": "main,metadata"})
        farm.bring_up(farm.main)
        work = Path(folder)
        film, batch = _film(work / "film", FILM_SECONDS, 1), _film(work / "batch", BATCH_SECONDS, BATCH)
        speedups = {name: _speed_up(farm, name, clips) for name, clips in (("film", film), ("batch", batch))}
        waits = _rescues(farm, film[0])
    lease = float(SETTINGS["OMKT_LEASE_SECONDS"])
    rescues = [_rescue_figure(kind, of_kind, lease) for kind, of_kind in waits.items()]
    report("hosts", [*_figures(speedups), *rescues], {**speedups, "rescued_after_seconds": waits})


def _figures(speedups: dict[str, Any]) -> list[Figure]:
    film, batch = speedups["film"], speedups["batch"]
    return [
        Figure(name="one long film on two hosts, of the control's speed-up", value=film["ratio"], at_least=0.95),
        Figure(name="a batch", value=batch["ratio"], at_least=0.97),
        Figure(name="bytes over NFS, film, of source and outputs", value=film["nfs_ratio"], at_most=1.15),
        Figure(name="batch", value=batch["nfs_ratio"], at_most=1.15),
    ]


def _rescue_figure(kind: str, waits: list[float], lease: float) -> Figure:
    name = f"killed hosts' work runs elsewhere, the other host {kind}, after, p99 of {len(waits)}, less the lease,"
    return Figure(name=name, value=percentile(waits, 99) - lease, unit=" s", at_most=10)


@contextmanager
def _farm() -> Iterator[Farm]:
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


def _film(folder: Path, seconds: float, count: int) -> list[Path]:
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


def _speed_up(farm: Farm, name: str, films: list[Path]) -> dict[str, Any]:
    """How much faster two hosts are than one: the farm, and plain ffmpegs in the same guests."""
    second, third = farm.secondaries.values()
    _order(farm, "drain", third)
    alone = _jobs(farm, films)
    _order(farm, "resume", third)
    both = _jobs(farm, films)
    for host in (second, third):
        _order(farm, "drain", host)
    one = _plain(farm, {second: films}, name)
    halves = _halves(films) if len(films) == 1 else [films[::2], films[1::2]]
    two = _plain(farm, {second: halves[0], third: halves[1]}, f"{name}-halves")
    for host in (second, third):
        _order(farm, "resume", host)
    farm_gain, control = alone["wall"] / both["wall"], one / two
    return {
        "ratio": farm_gain / control, "farm_speed_up": farm_gain, "control_speed_up": control, "alone": alone,
        "both": both, "plain_one": one, "plain_two": two, "nfs_ratio": both["nfs_bytes"] / both["content_bytes"],
    }  # fmt: skip


def _jobs(farm: Farm, films: list[Path]) -> dict[str, float]:
    """All films through the farm; wall time by the farm's clock, and bytes that the secondaries moved over NFS."""
    before = _nfs_bytes(farm)
    keys = [farm.client.submit(film, plain.PRESET) for film in films]
    jobs = [farm.client.ended(key, seconds=_PATIENCE_SECONDS) for key in keys]
    bad = [job for job in jobs if job["state"] != "succeeded"]
    if bad:
        raise RuntimeError(f"not all jobs succeeded: {bad}")
    first = min(datetime.fromisoformat(job["created_at"]) for job in jobs)
    last = max(datetime.fromisoformat(job["finished_at"]) for job in jobs)
    made = sum(
        file["bytes"] for key in keys for file in farm.client.get(f"/v1/jobs/{key}/outputs/{plain.PRESET}")["files"]
    )
    return {
        "wall": (last - first).total_seconds(),
        "nfs_bytes": _nfs_bytes(farm) - before,
        "content_bytes": made + sum(film.stat().st_size for film in films),
    }


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


def _order(farm: Farm, verb: str, host: Host) -> None:
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


def _rescues(farm: Farm, film: Path) -> dict[str, list[float]]:
    """Seconds from the power loss of a host to the next attempt at what it was doing, on the other one: which is free while
    a codec that is not cut into chunks is encoded, or is busy with chunks of the same film."""
    kinds = {"free": ("omkt-video-480p-webm", 1), "busy": (plain.PRESET, 2)}
    return {
        kind: [_rescue(farm, film, preset, hosts, number) for number in range(KILLS // 2)]
        for kind, (preset, hosts) in kinds.items()
    }


def _rescue(farm: Farm, film: Path, preset: str, hosts: int, number: int) -> float:
    key = farm.client.submit(film, preset)
    wait_for(lambda: len(_at_work(farm, key)) == hosts, seconds=300, what="encodes")
    time.sleep(1 + number % 8)  # not always at the begin of a chunk
    name, lost = sorted(_at_work(farm, key).items())[number % hosts]
    farm.secondaries[name].guest.kill()
    begun = time.monotonic()
    wait_for(lambda: _goes_on(farm, key, name, lost), seconds=300, what="its work to run elsewhere")
    waited = round(time.monotonic() - begun, 2)
    farm.client.request("POST", f"/v1/jobs/{key}/cancel")
    farm.restore()
    return waited


def _at_work(farm: Farm, key: str) -> dict[str, set[int]]:
    """The encodes that run, by their hosts."""
    found: dict[str, set[int]] = {}
    for task in farm.client.tasks(key):
        if task["kind"] == "encode" and task["state"] == "running":
            found.setdefault(task["host"], set()).add(task["id"])
    return found


def _goes_on(farm: Farm, key: str, dead: str, lost: set[int]) -> bool:
    """Whether every one of these tasks has begun elsewhere, or is no longer wanted."""
    open_ones = [task for task in farm.client.tasks(key) if task["id"] in lost and task["state"] not in _ENDED]
    return all(task["state"] == "running" and task["host"] != dead for task in open_ones)
