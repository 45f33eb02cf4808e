"""Jobs and what they deliver."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from omkt_client.call import Call, path
from omkt_client.models import Job, Jobs, OutputFiles, Tasks

_JOB, _JOBS, _TASKS, _FILES = TypeAdapter(Job), TypeAdapter(Jobs), TypeAdapter(Tasks), TypeAdapter(OutputFiles)


def submit(  # noqa: PLR0913 - as many as a job has
    source: Mapping[str, str | Sequence[str]],
    presets: Sequence[str | Mapping[str, Any]],
    *,
    priority: str = "normal",
    callback: str | Mapping[str, Any] | None = None,
    client_data: str | None = None,
    tags: Sequence[str] = (),
    not_before: datetime | None = None,
    deadline: datetime | None = None,
    first: str | None = None,
    idempotency_key: str | None = None,
) -> Call[Job]:
    """Ask for outputs of a source: one of {"url": …}, {"upload": id}, {"path": …}, {"media": id}, {"concat": ids}.
    The output named `first` is made before the others.

    Each preset is a name, or {"preset": name, "id": …, "settings": {…}} to change some of its settings for this job.
    Sent twice (with one idempotency key, by default a new one) it is one job.
    """
    body = {
        "source": dict(source),
        "presets": [one if isinstance(one, str) else dict(one) for one in presets],
        "priority": priority,
        "callback": ({"url": callback} if isinstance(callback, str) else callback) if callback else None,
        "client_data": client_data,
        "tags": list(tags),
        "not_before": not_before.isoformat() if not_before else None,
        "deadline": deadline.isoformat() if deadline else None,
        **({"first": first} if first else {}),  # a farm of the version before does not know it
    }
    headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
    return Call(method="POST", path=path("jobs"), answer=_JOB, body=body, headers=headers)


def get(job_id: str) -> Call[Job]:
    """One job."""
    return Call(method="GET", path=path("jobs", job_id), answer=_JOB)


def page(*, limit: int = 20, state: str | None = None, cursor: str | None = None) -> Call[Jobs]:
    """Jobs, newest first, up to 100; `cursor` is the `next` of the page before."""
    params = {"limit": limit, "state": state, "cursor": cursor}
    return Call(method="GET", path=path("jobs"), answer=_JOBS, params=params)


def prioritise(job_id: str, priority: str) -> Call[Job]:
    """Let what of a job has not begun start earlier or later: high, normal, low."""
    return Call(method="PATCH", path=path("jobs", job_id), answer=_JOB, body={"priority": priority})


def add_outputs(job_id: str, presets: Sequence[str | Mapping[str, Any]]) -> Call[Job]:
    """Have more made of a job's source; one that has succeeded runs again."""
    return Call(method="POST", path=path("jobs", job_id, "outputs"), answer=_JOB, body={"presets": list(presets)})


def cancel(job_id: str) -> Call[Job]:
    """Stop a job."""
    return Call(method="POST", path=path("jobs", job_id, "cancel"), answer=_JOB)


def retry(job_id: str) -> Call[Job]:
    """Try again what of a job failed or was cancelled."""
    return Call(method="POST", path=path("jobs", job_id, "retry"), answer=_JOB)


def repeat(job_id: str, *, idempotency_key: str | None = None) -> Call[Job]:
    """Do all of a job that has ended once more; the answer is the new job. Sent twice with one key it is one job."""
    headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
    return Call(method="POST", path=path("jobs", job_id, "repeat"), answer=_JOB, headers=headers)


def tasks(job_id: str) -> Call[Tasks]:
    """The tasks of a job with their attempts."""
    return Call(method="GET", path=path("jobs", job_id, "tasks"), answer=_TASKS)


def output(job_id: str, output_id: str) -> Call[OutputFiles]:
    """A published output with its files."""
    return Call(method="GET", path=path("jobs", job_id, "outputs", output_id), answer=_FILES)
