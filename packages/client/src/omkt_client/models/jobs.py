"""Jobs, their tasks and what they deliver."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from omkt_client.models.model import Model

FINAL = frozenset({"succeeded", "failed", "cancelled", "expired"})


class Source(Model):
    kind: str  #: url, upload, path, media
    value: str


class Error(Model):
    """Why a job or an attempt failed."""

    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class Callback(Model):
    url: str
    types: tuple[str, ...] = ()


class MediaName(Model):
    """The media of a job."""

    id: str
    name: str | None = None
    bytes: int | None = None
    facts: Mapping[str, Any] | None = None


class Output(Model):
    """What one preset delivers."""

    id: str
    preset: str
    state: str
    kind: str = ""
    entry: str | None = None  #: the file to open first
    bytes: int | None = None
    result: Mapping[str, Any] | None = None
    files_url: str | None = None
    play_url: str | None = None


class Job(Model):
    """One request for outputs."""

    id: str
    state: str
    stage: str | None = None
    progress: float = 0.0  #: 0 to 1
    presets: tuple[str, ...] = ()
    priority: str = "normal"
    source: Source | None = None
    media: MediaName | None = None
    client_data: str | None = None
    callback: Callback | None = None
    tags: tuple[str, ...] = ()
    not_before: datetime | None = None
    deadline: datetime | None = None
    error: Error | None = None
    warnings: tuple[str, ...] = ()
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    outputs: tuple[Output, ...] = ()
    frames: int | None = None  #: of the source, encoded so far
    speed: float | None = None  #: seconds of the source encoded in a second
    seconds_left: float | None = None

    @property
    def is_final(self) -> bool:
        """Whether it will not change any more by itself."""
        return self.state in FINAL

    @property
    def name(self) -> str:
        """Of its source, for people."""
        return (self.media.name if self.media else None) or (self.source.value if self.source else "")


class Jobs(Model):
    """A page of jobs, newest first; `next` is the cursor of the following one."""

    jobs: tuple[Job, ...]
    next: str | None = None


class Attempt(Model):
    attempt: int
    host: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: str | None = None
    error: Error | None = None


class Task(Model):
    id: int
    kind: str
    state: str
    progress: float
    attempts: int
    reason: str | None = None
    host: str | None = None
    output: str | None = None
    history: tuple[Attempt, ...] = ()


class Tasks(Model):
    tasks: tuple[Task, ...]


class File(Model):
    """One file of an output."""

    path: str
    bytes: int
    sha256: str
    url: str


class OutputFiles(Model):
    """A published output with its files."""

    id: str
    preset: str
    kind: str
    entry: str
    bytes: int
    result: Mapping[str, Any]
    files: tuple[File, ...]
    files_url: str
    zip_url: str
    play_url: str | None = None
