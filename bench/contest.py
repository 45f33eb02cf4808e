"""One farm against plain ffmpeg: the same files, the same ffmpeg, the same settings."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from bench.plain import PRESET
from bench.report import Figure, report

_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 1800.0


@dataclass(frozen=True)
class Effort:
    """What one contender needed for all files."""

    wall: float
    cpu: float


def farm_effort(client: httpx.Client, clips: Path, cpu_seconds: Callable[[], float], *, preset: str = PRESET) -> Effort:
    """Upload all clips, then submit a job for each at once; the wall time is that of the jobs, by the farm's clock."""
    uploads = [upload(client, clip) for clip in sorted(clips.glob("*.mp4"))]
    before = cpu_seconds()
    for one in uploads:
        answer(client.post("/v1/jobs", json={"source": {"upload": one}, "presets": [preset]}))
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        jobs = answer(client.get("/v1/jobs", params={"limit": 100}))["jobs"]
        failed = [job["error"] for job in jobs if job["state"] in ("failed", "cancelled")]
        if failed or time.monotonic() > deadline:
            raise RuntimeError(f"not all jobs succeeded: {failed}")
        if all(job["state"] == "succeeded" for job in jobs):
            break
        time.sleep(_LOOK_SECONDS)
    first = min(datetime.fromisoformat(job["created_at"]) for job in jobs)
    last = max(datetime.fromisoformat(job["finished_at"]) for job in jobs)
    return Effort(wall=(last - first).total_seconds(), cpu=cpu_seconds() - before)


def tell(
    name: str,
    farm: Effort,
    baselines: Mapping[str, Effort],
    *,
    at_most: float,
    details: Mapping[str, Any],
    cpu_at_most: float = 1.05,
) -> None:
    """Report the farm beside the baseline that was faster."""
    better = min(baselines, key=lambda one: baselines[one].wall)
    baseline = baselines[better]
    report(
        name,
        [
            Figure(name="wall against plain ffmpeg", value=farm.wall / baseline.wall, at_most=at_most),
            Figure(name="CPU", value=farm.cpu / baseline.cpu, at_most=cpu_at_most),
            Figure(name="farm", value=farm.wall, unit=" s"),
            Figure(name=f"plain ffmpeg, {better},", value=baseline.wall, unit=" s"),
        ],
        {
            **details,
            "farm": asdict(farm),
            "plain": {name: asdict(effort) for name, effort in baselines.items()},
            "better": better,
        },
    )


def ended(client: httpx.Client, job: str) -> None:
    """Wait for the success of a job. Raises RuntimeError when it does not come."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (told := answer(client.get(f"/v1/jobs/{job}")))["state"] != "succeeded":
        if told["state"] in ("failed", "cancelled") or time.monotonic() > deadline:
            raise RuntimeError(f"job {job}: {told['state']} {told['error']}")
        time.sleep(_LOOK_SECONDS)


def upload(client: httpx.Client, clip: Path) -> str:
    """The id of an upload of this file."""
    with clip.open("rb") as stream:
        return str(answer(client.post("/v1/uploads", params={"name": clip.name}, content=stream))["id"])


def answer(response: httpx.Response) -> Any:
    """The JSON of an answer. Raises RuntimeError for one that is an error."""
    if response.is_error:
        raise RuntimeError(f"{response.request.method} {response.request.url}: {response.text}")
    return response.json()
