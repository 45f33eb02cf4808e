"""Builders for tests: a request, a plan, a claimed task, with everything that a test does not care for filled in.

Shipped with the package, so that tests of every service build the same things. They go through the queue's own verbs.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.effects import Effect, Encoded, Fetched, Measured, Planned, Probed, Published, Settlement
from omkt_pipeline.domain.job import Callback, JobRequest, Source, SourceKind
from omkt_pipeline.domain.plan import Plan, PlannedOutput, PlannedTask
from omkt_pipeline.domain.task import Artifact, Pool, Task, TaskKind
from omkt_pipeline.queue.accounts import create_account
from omkt_pipeline.queue.claim import Claimant, claim
from omkt_pipeline.queue.jobs import submit
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.queue.sources import NewMedia
from omkt_pipeline.queue.workers import register

LEASE_SECONDS = 60.0


def an_account(database: Database, name: str = "acme", *, weight: float = 1.0) -> int:
    """Create an account; return its id."""
    return create_account(database, name, weight=weight)[0].id


def a_request(**changes: Any) -> JobRequest:
    """A request for one preset of a film that must be fetched, with a callback."""
    request = JobRequest(
        source=Source(kind=SourceKind.URL, value="https://example.com/film.mov"),
        presets=("mp4-720p",),
        callback=Callback(url="https://example.com/hook"),
    )
    return replace(request, **changes)


def a_job(database: Database, account_id: int, *, path: str | None = None, **changes: Any) -> str:
    """Submit a request; return the job's key. With a `path` its original is there already: probing comes first."""
    if path is not None:
        changes.setdefault("source", Source(kind=SourceKind.PATH, value=path))
    return submit(database, account_id, a_request(**changes), NewMedia(path=path)).job_key


def a_plan(*, encodes: int = 2, outputs: Iterable[str] = ("film",), cost: float = 1.0) -> Plan:
    """A plan of some encodes, and for each output one package that needs them all."""
    parts = [PlannedTask(key=f"part{n}", kind=TaskKind.ENCODE, spec={"part": n}, cost=cost) for n in range(encodes)]
    names = tuple(part.key for part in parts)
    packages = [
        PlannedTask(key=f"package-{key}", kind=TaskKind.PACKAGE, spec={"output": key}, needs=names, output=key)
        for key in outputs
    ]
    delivered = tuple(PlannedOutput(key=key, preset=key, preset_version=1, kind="file") for key in outputs)
    return Plan(outputs=delivered, tasks=(*parts, *packages))


def a_claimant(
    database: Database, pool: Pool, *, host: str = "alpha", lease_seconds: float = LEASE_SECONDS
) -> Claimant:
    """Register a worker and return it as one who claims."""
    worker_id = register(database, host=host, pool=pool, version="test", slots=1, facts={})
    return Claimant(worker_id=worker_id, host=host, pool=pool, lease_seconds=lease_seconds)


def take(
    database: Database,
    pool: Pool,
    *,
    host: str = "alpha",
    lease_seconds: float = LEASE_SECONDS,
    worker_id: int = 1,
    patience_seconds: float = 0.0,
    lost_only: bool = False,
) -> Task | None:
    """Claim the next task of a pool, or None."""
    claimant = Claimant(
        worker_id=worker_id,
        host=host,
        pool=pool,
        lease_seconds=lease_seconds,
        patience_seconds=patience_seconds,
        lost_only=lost_only,
    )
    return claim(database, claimant, os.urandom(16))


def taken(database: Database, pool: Pool, **options: Any) -> Task:
    """Claim the next task of a pool, which must be there."""
    task = take(database, pool, **options)
    assert task is not None, f"no task of pool {pool.name} is ready"  # noqa: S101 - for tests
    return task


def an_artifact(path: str = "film.mp4", *, content: bytes = b"film") -> Artifact:
    """What a settled attempt says of a file with this content."""
    return Artifact(path=path, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def a_settlement(task: Task, *, plan: Plan | None = None) -> Settlement:
    """What a handler might return for this task."""
    effects: dict[TaskKind, Effect] = {
        TaskKind.FETCH: Fetched(path="originals/film/original", bytes=4, sha256="0" * 64),
        TaskKind.PROBE: Probed(facts={"container": "mov"}, raw={}),
        TaskKind.PLAN: Planned(plan=plan or a_plan()),
        TaskKind.MEASURE: Measured(measures={}),
        TaskKind.CONCAT: Fetched(path="originals/whole/original", bytes=4, sha256="0" * 64),
        TaskKind.EXTRACT: Encoded(facts={}),
        TaskKind.ENCODE: Encoded(facts={}),
        TaskKind.PACKAGE: Published(output=str(task.spec.get("output", "film")), entry="film.mp4", result={}),
    }
    files = (an_artifact(),) if task.kind in (TaskKind.ENCODE, TaskKind.PACKAGE) else ()
    return Settlement(effect=effects[task.kind], folder=f"made/{task.id}/{task.folder_name}", artifacts=files)


def a_planned_job(database: Database, account_id: int, plan: Plan | None = None, **changes: Any) -> str:
    """Submit a job and settle its first steps, so that its encodes are ready; return its key.

    Nothing else may be ready in the pool that probes and plans.
    """
    key = a_job(database, account_id, path="film.mov", **changes)
    for _ in (TaskKind.PROBE, TaskKind.PLAN):
        step = taken(database, Pool.METADATA)
        settle(database, step, a_settlement(step, plan=plan))
    return key
