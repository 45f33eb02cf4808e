"""How one daemon works: what its settings say, in the words of the loop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class WorkerConfig:
    """How one daemon works. Times in seconds."""

    host: str
    version: str
    slots: int
    threads: int
    scratch_root: Path
    scratch_free_floor: int
    lease_seconds: float
    beat_seconds: float
    grace_seconds: float
    backoff_seconds: float
    liveness_file: Path
    idle_poll_seconds: float = 0.8
    #: Tasks of vanished workers that are taken beyond the slots, so that on a busy farm they go on at once.
    rescue_slots: int = 1
    facts: Mapping[str, Any] = field(default_factory=dict)
    #: Says why nothing may be claimed from outside this process, or None. May raise Unavailable.
    gate: Callable[[], str | None] = lambda: None
    identity: str = ""  #: the machine's, which tells it from another of the same name
    #: Leave what has just become ready to workers on the host whose disk the share is, while there are any.
    yields: bool = False
