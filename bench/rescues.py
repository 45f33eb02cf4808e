"""rescues: how long after a power loss the work of a secondary host runs on the other one (tests/farm)."""

import os
import sys
import tempfile
import time
from pathlib import Path

from bench import plain
from bench.farms import FILM_SECONDS, a_farm, make_films
from bench.report import Figure, percentile, report
from tests.farm.client import wait_for
from tests.farm.farm import SETTINGS, Farm

KILLS = int(os.environ.get("OMKT_BENCH_KILLS", "20"))
#: What the other host does meanwhile, the preset that makes it so, and on how many hosts it runs.
_KINDS = {"busy": (plain.PRESET, 2), "free": ("omkt-video-480p-webm", 1)}
_ENDED = ("done", "failed", "cancelled")


def run() -> None:
    """Half of the kills while the other host is busy with chunks of the same film, half while it is free."""
    waits: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    with tempfile.TemporaryDirectory(prefix="omkt-bench-") as folder, a_farm() as farm:
        film = make_films(Path(folder) / "film", FILM_SECONDS, 1)[0]
        for number in range(KILLS):
            kind = list(_KINDS)[number % len(_KINDS)]
            waits[kind].append(_rescue(farm, film, kind, number // len(_KINDS)))
            print(f"{number + 1} of {KILLS}: {kind}, {waits[kind][-1]} s", file=sys.stderr, flush=True)
    lease = float(SETTINGS["OMKT_LEASE_SECONDS"])
    report("rescues", [_figure(kind, of_kind, lease) for kind, of_kind in waits.items()], {"seconds": waits})


def _figure(kind: str, waits: list[float], lease: float) -> Figure:
    name = f"killed hosts' work runs elsewhere, the other host {kind}, after, p99 of {len(waits)}, less the lease,"
    return Figure(name=name, value=percentile(waits, 99) - lease, unit=" s", at_most=10)


def _rescue(farm: Farm, film: Path, kind: str, number: int) -> float:
    """Seconds from the power loss of a host to the next attempts at all that it was doing."""
    preset, hosts = _KINDS[kind]
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
