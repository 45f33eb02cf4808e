"""What a farm answers. Unknown fields are kept: a newer farm may say more."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

FINAL = frozenset({"succeeded", "failed", "cancelled", "expired"})


class Model(BaseModel):
    """Something that a farm said, as it said it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @property
    def raw(self) -> dict[str, Any]:
        """All that the farm said of it, as JSON has it."""
        return self.model_dump(mode="json")


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


class Media(Model):
    """One source known to the farm."""

    id: str
    state: str
    source: Source
    name: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    keep_until: datetime | None = None
    created_at: datetime
    facts: Mapping[str, Any] | None = None
    probe: Mapping[str, Any] | None = None


class MediaList(Model):
    media: tuple[Media, ...]
    next: str | None = None


class Upload(Model):
    """A complete upload."""

    id: str
    name: str | None = None
    bytes: int
    sha256: str


class UploadState(Model):
    """How far an upload is."""

    id: str
    name: str | None = None
    bytes: int
    received: int
    complete: bool
    sha256: str | None = None
    expires_at: datetime | None = None


class Decision(Model):
    code: str
    message: str
    output: str | None = None
    warning: bool = False


class PlannedTask(Model):
    id: str
    kind: str
    needs: tuple[str, ...]
    cost: float
    output: str | None = None
    commands: tuple[tuple[str, ...], ...]


class Plan(Model):
    """What a job would do."""

    decisions: tuple[Decision, ...]
    tasks: tuple[PlannedTask, ...]
    outputs: tuple[str, ...]
    cost: float


class Preset(Model):
    id: str
    version: int
    kind: str
    title: str
    settings: Mapping[str, Any]
    own: bool


class Presets(Model):
    presets: tuple[Preset, ...]


class Endpoint(Model):
    """An address that hears of all jobs of an account."""

    id: str
    url: str
    types: tuple[str, ...]
    enabled: bool
    failing_since: datetime | None = None
    created_at: datetime


class Endpoints(Model):
    endpoints: tuple[Endpoint, ...]


class NewEndpoint(Model):
    endpoint: Endpoint
    secret: str  #: with which its webhooks are signed; shown this once


class Secret(Model):
    secret: str


class Delivery(Model):
    at: datetime
    status: int | None = None
    error: str | None = None
    seconds: float


class Webhook(Model):
    """A message about a job, and what became of it."""

    id: str
    type: str
    url: str
    state: str
    payload: Mapping[str, Any]
    created_at: datetime
    next_try_at: datetime | None = None
    deliveries: tuple[Delivery, ...]


class Webhooks(Model):
    webhooks: tuple[Webhook, ...]


class Key(Model):
    id: str
    name: str
    scope: str
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None


class Keys(Model):
    keys: tuple[Key, ...]


class NewKey(Model):
    id: str
    key: str  #: shown this once


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
    tasks: tuple[Mapping[str, Any], ...]
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
