"""A machine of the farm: its name, what its workers say of it, and what an operator makes of that."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from omkt_pipeline.domain.errors import Refused
from omkt_pipeline.domain.task import Pool

#: A label of a host name (RFC 1123, 2.1), in lower case.
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class HostState(StrEnum):
    """How a host is, in one word."""

    INVITED = "invited"  #: has a name and a way in, and has never worked
    UP = "up"
    DRAINING = "draining"  #: told to take nothing new; still works on what it holds
    DRAINED = "drained"
    ASIDE = "aside"  #: none of its workers takes work; the note says why
    AWAY = "away"  #: no worker of it lives


@dataclass(frozen=True, kw_only=True)
class HostWorker:
    """One living process of a host."""

    pool: Pool
    state: str
    note: str | None
    slots: int
    running: int
    version: str
    facts: Mapping[str, Any]
    seen_at: datetime


@dataclass(frozen=True, kw_only=True)
class Host:
    """A host as operators see it."""

    name: str
    state: HostState
    note: str | None
    workers: tuple[HostWorker, ...]
    warnings: tuple[str, ...] = ()
    seen_at: datetime | None = None
    tasks: tuple[str, ...] = field(default=())  #: what it works on, as "kind job"

    @property
    def slots(self) -> int:
        """Room for tasks of the transcoder, the pool that hosts are added for."""
        return sum(worker.slots for worker in self.workers if worker.pool is Pool.TRANSCODER)

    @property
    def running(self) -> int:
        return sum(worker.running for worker in self.workers)

    @property
    def speed(self) -> float | None:
        """Planned CPU seconds of encoding that its workers finish in a second, in sum; None before the first."""
        speeds = [worker.facts["speed"] for worker in self.workers if worker.facts.get("speed")]
        return round(sum(speeds), 2) if speeds else None

    def fact(self, name: str) -> Any:
        """What its workers say under this name; all of them stand on one machine. None when nobody says anything."""
        return next((worker.facts[name] for worker in self.workers if worker.facts.get(name) is not None), None)


def checked_name(name: str) -> str:
    """Return the name of a new host. Raises Refused when other machines could not know it under that name."""
    if not _LABEL.fullmatch(name):
        raise Refused(
            f"{name[:80]!r} cannot be a host's name: 1 to 63 of a-z, 0-9 and hyphens, none at either end.",
            code="host_name_invalid",
        )
    return name


def state_of(workers: Iterable[HostWorker], *, drained: bool, joined: bool) -> tuple[HostState, str | None]:
    """The state of a host, with its reason where a person would ask for one."""
    workers = tuple(workers)
    if not workers:
        if drained:
            return HostState.DRAINED, "no worker lives"
        return (HostState.AWAY, "no worker lives") if joined else (HostState.INVITED, None)
    if drained:
        return (HostState.DRAINING if any(worker.running for worker in workers) else HostState.DRAINED), None
    idle = [worker for worker in workers if worker.state != "up"]
    if len(idle) == len(workers):
        return HostState.ASIDE, next((worker.note for worker in idle if worker.note), None)
    return HostState.UP, next((worker.note for worker in idle if worker.note), None)


def warnings_for(host_builds: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """For each host whose ffmpeg is not the farm's most common one, a sentence. Builds by host name."""
    counted = Counter(build for builds in host_builds.values() for build in set(builds))
    if len(counted) < 2:
        return {}
    usual = max(counted, key=lambda build: (counted[build], build))
    return {
        name: (f"runs ffmpeg {', '.join(odd)}, and most hosts run {usual}: their results can differ slightly",)
        for name, builds in host_builds.items()
        if (odd := sorted(set(builds) - {usual}))
    }
