"""A job: one request for outputs of one media."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from omkt_pipeline.domain.plan import Value
from omkt_pipeline.domain.task import StepView


class JobState(StrEnum):
    """Where a job stands. docs/architecture.md draws the same edges; a test compares them."""

    QUEUED = "queued"  #: accepted; no worker has begun
    RUNNING = "running"  #: fetching, probing, planning, encoding or packaging; `stage` says which
    SUCCEEDED = "succeeded"  #: every output is published and will not change
    FAILED = "failed"  #: gave up; `error` says why
    CANCELLED = "cancelled"  #: the client asked to stop
    EXPIRED = "expired"  #: ended before, and its files were removed by the retention rules

    @property
    def is_final(self) -> bool:
        """Nothing happens any more by itself."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


NEXT: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED, JobState.FAILED}),
    JobState.RUNNING: frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}),
    JobState.SUCCEEDED: frozenset({JobState.EXPIRED}),
    JobState.FAILED: frozenset({JobState.QUEUED, JobState.EXPIRED}),
    JobState.CANCELLED: frozenset({JobState.QUEUED, JobState.EXPIRED}),
    JobState.EXPIRED: frozenset(),
}


class Priority(StrEnum):
    """Strict classes: nothing of a lower one starts while a higher one waits. Inside one, accounts share fairly."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def band(self) -> int:
        """The number in the claim index; small is urgent."""
        return _BANDS[self]


_BANDS = {Priority.HIGH: 10, Priority.NORMAL: 50, Priority.LOW: 90}


class SourceKind(StrEnum):
    URL = "url"
    UPLOAD = "upload"
    PATH = "path"
    MEDIA = "media"  #: one that the farm knows already; never the kind of a media itself
    CONCAT = "concat"  #: several that the farm knows, laid behind each other


class MediaState(IntEnum):
    """What is known of a media."""

    EXPECTED = 0  #: its original is not on the share yet
    STORED = 1  #: the original is on the share, unread
    PROBED = 2  #: the facts are known
    EXPIRED = 3  #: the original was removed


class OutputState(StrEnum):
    PENDING = "pending"
    PUBLISHED = "published"
    SKIPPED = "skipped"  #: cannot be made of this source; the others are
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a job's media comes from. `value` is the URL, the upload's id, the path below the share's incoming folder, or
    the ids of several media with commas between them."""

    kind: SourceKind
    value: str


class CallbackKind(StrEnum):
    """How a client is told."""

    WEBHOOK = "webhook"  #: signed POST, Standard Webhooks
    WIRE = "wire"  #: GET with the original's parameters


@dataclass(frozen=True, kw_only=True)
class Callback:
    """Where the client wants to hear of its job."""

    url: str
    kind: CallbackKind = CallbackKind.WEBHOOK
    types: tuple[str, ...] = ()  #: of events (queue/endpoints.py); none: the job's ends


class Variation(Value):
    """A preset with some of its settings changed for one job, under a name of its own."""

    id: str  #: of the output
    preset: str
    settings: Mapping[str, Any]  #: as in a preset's YAML; merged over those of the preset


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """What a client asks for, checked and ready to be stored."""

    source: Source
    presets: tuple[str | Variation, ...]
    priority: Priority = Priority.NORMAL
    callback: Callback | None = None
    client_data: str | None = None  #: the client's own words, echoed back
    tags: tuple[str, ...] = ()  #: the client's labels, echoed back
    not_before: datetime | None = None  #: nothing begins before this
    deadline: datetime | None = None  #: given up when it has not ended by then
    idempotency_key: str | None = None
    #: The output that is made by itself and before the others, so that there is something to play early.
    first: str | None = None
    measure: bool = False  #: the whole source is measured (domain/media.py's Measures) before anything is planned
    anew: bool = False  #: what exists of this source is made once more
    fingerprint: str = ""  #: SHA-256 of the request's canonical form


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a job or an output failed: a stable code, and a sentence for a person."""

    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class OutputView:
    """What one preset delivers."""

    key: str
    preset: str
    state: OutputState
    kind: str
    entry: str | None  #: the file to open first, below the output's files
    bytes: int | None
    result: Mapping[str, Any] | None  #: facts of what was made: renditions, ffmpeg's version, CPU seconds


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast a running job goes. None: that cannot be told yet."""

    frames: int | None  #: of the source's picture, encoded so far for all that is made of it
    speed: float | None  #: seconds of the source encoded in a second, since it was planned
    seconds_left: float | None  #: until the job has ended, if it goes on as so far


@dataclass(frozen=True, kw_only=True)
class JobView:
    """A job as its client sees it."""

    key: str
    account_id: int
    state: JobState
    stage: str | None
    progress: float
    presets: tuple[str, ...]
    priority: Priority
    source: Source
    client_data: str | None
    callback_url: str | None
    callback_types: tuple[str, ...]
    tags: tuple[str, ...]
    not_before: datetime | None
    deadline: datetime | None
    error: Failure | None
    warnings: tuple[str, ...]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    media: Mapping[str, Any] | None
    outputs: tuple[OutputView, ...]
    #: Two views of one state may differ in these alone: as the steps of a chunk go on, and as time passes.
    steps: tuple[StepView, ...] = field(default=(), compare=False)
    pace: Pace | None = field(default=None, compare=False)
