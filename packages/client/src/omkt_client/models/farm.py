"""The farm itself: hosts, queue, troubles, storage."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from omkt_client.models.model import Model


class HostWorker(Model):
    pool: str
    state: str
    note: str | None = None
    slots: int
    running: int
    version: str
    facts: Mapping[str, Any]
    seen_at: datetime


class Host(Model):
    name: str
    state: str
    note: str | None = None
    warnings: tuple[str, ...]
    slots: int
    running: int
    tasks: tuple[str, ...]
    speed: float | None = None
    seen_at: datetime | None = None
    workers: tuple[HostWorker, ...]


class Hosts(Model):
    hosts: tuple[Host, ...]


class Pool(Model):
    """One kind of work and what waits of it."""

    pool: str
    paused: bool
    waiting: int
    delayed: int
    ready: int
    running: int


class Farm(Model):
    pools: tuple[Pool, ...]


class Settings(Model):
    """What was changed of a running farm; None: as its services were started."""

    keep_originals_days: float | None = None
    keep_results_days: float | None = None
    keep_failed_days: float | None = None
    chunk_min_seconds: float | None = None
    chunk_target_seconds: float | None = None


class Trouble(Model):
    """A task that failed for good or was set aside."""

    id: int
    account: str
    job: str
    kind: str
    reason: str | None = None
    message: str | None = None
    host: str | None = None
    log: str | None = None
    failures: int
    losses: int
    at: datetime | None = None


class Troubles(Model):
    tasks: tuple[Trouble, ...]
    next: int | None = None


class Stored(Model):
    account: str
    original_bytes: int
    result_bytes: int


class Storage(Model):
    free_bytes: int
    accounts: tuple[Stored, ...]
