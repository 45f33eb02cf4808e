"""V1 to V4 after a fault: nothing lost, nothing done twice, nothing corrupt, nothing left (docs/faults.md)."""

import json
from typing import Any

from tests.farm.client import FINAL, wait_for
from tests.farm.farm import Farm
from tests.farm.host import Host

#: Runs in the api's container on the main host: the product's own audit, every checksum included.
_AUDIT = """
import json
from typing import Any
from pathlib import Path
from omkt_cli.main_host import database
from omkt_pipeline.queue.audit import audit
with database() as connected:
    print(json.dumps([[fault.code, fault.message] for fault in audit(connected, Path("/share"), deep=True)]))
"""


def judge(farm: Farm, *, expect: str = "succeeded") -> None:
    """Check a farm that was healed and has ended its jobs. `expect` is how every promised job must have ended."""
    for key in farm.client.promised.values():
        job = farm.client.ended(key)
        assert job["state"] in FINAL
        assert job["state"] == expect, f"V1: job {key}: {job}"
        tasks = farm.client.tasks(key)
        _done_once(tasks)
    assert len(set(farm.client.promised.values())) == len(farm.client.promised), "V2: one order, one job"
    for seen in farm.client.seen:
        farm.client.read(*seen.rsplit("/", 1))  # V3: still the same bytes, and those that the rows promise
    _nothing_left(farm)
    found = json.loads(farm.main.compose("exec", "-T", "api", "python", "-c", _AUDIT, seconds=600).splitlines()[-1])
    assert found == [], f"V2 to V4, by the audit: {found}"


def _done_once(tasks: list[Any]) -> None:
    """Each task of a job was done once; but of a slow chunk that was begun again on a free host, one of the two."""
    called_off = [task for task in tasks if task["state"] == "cancelled"]
    done = [task for task in tasks if task not in called_off]
    successes = [sum(tried["outcome"] == "ok" for tried in task["history"]) for task in (*called_off, *done)]
    assert successes == [0] * len(called_off) + [1] * len(done), f"V2: {tasks}"
    assert {task["kind"] for task in called_off} <= {"encode"}, f"V2: {tasks}"
    assert len(called_off) <= sum(task["kind"] == "encode" for task in done), f"V2: {tasks}"


def _nothing_left(farm: Farm) -> None:
    for host in farm.hosts:
        wait_for(lambda host=host: not host.media_tools(), seconds=60, what=f"V4: ffmpegs on {host.name} to end")  # type: ignore[misc]
        for container in host.containers("transcoder") if host is not farm.main else []:
            wait_for(
                lambda host=host, container=container: _scratch(host, container) == "",  # type: ignore[misc]
                seconds=60,
                what=lambda host=host, container=container: f"V4: {host.name} to clear {_scratch(host, container)}",  # type: ignore[misc]
            )


def _scratch(host: Host, container: str) -> str:
    """What lies in a transcoder's scratch; who was cut off clears it when he is back."""
    return host.guest.run("docker", "exec", container, "find", "/scratch", "-type", "f", "!", "-name", ".lock").out
