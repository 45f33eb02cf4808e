"""A task: one unit of work in the queue; an attempt: one try of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

#: What this version understands of specs. A kind of task whose specs an older worker would get wrong is written with a
#: higher number (`TaskKind.spec_version`); workers leave alone what is above theirs, and take everything below.
SPEC_VERSION = 7


class TaskState(IntEnum):
    """Where a task stands. Small numbers, because the claim index begins with them."""

    WAITING = 0  #: for a task that must be settled first
    DELAYED = 1  #: for its time: backoff after a failure or a lost lease
    READY = 2  #: anybody of the right pool may claim it
    RUNNING = 3  #: leased to one worker
    DONE = 4  #: settled; never changes again
    FAILED = 5  #: gave up; `reason` says why
    CANCELLED = 6  #: the client, or a failed sibling, asked to stop
    QUARANTINED = 7  #: took its worker down too often; needs a person

    @property
    def is_terminal(self) -> bool:
        return self >= TaskState.DONE


#: Which state may follow which. Terminal states are left only by a person's retry, which makes the task ready again; and by
#: done, when what was made is lost before it was used.
NEXT: dict[TaskState, frozenset[TaskState]] = {
    TaskState.WAITING: frozenset({TaskState.READY, TaskState.CANCELLED}),
    TaskState.DELAYED: frozenset({TaskState.READY, TaskState.CANCELLED}),
    TaskState.READY: frozenset({TaskState.RUNNING, TaskState.CANCELLED}),
    TaskState.RUNNING: frozenset(
        {
            TaskState.READY,  # released: stopping is free
            TaskState.DELAYED,  # failed or lost, to be tried again
            TaskState.WAITING,  # what it needs is gone, and is made again
            TaskState.DONE,
            TaskState.FAILED,
            TaskState.CANCELLED,
            TaskState.QUARANTINED,
        }
    ),
    TaskState.DONE: frozenset({TaskState.READY}),
    TaskState.FAILED: frozenset({TaskState.READY, TaskState.WAITING}),
    TaskState.CANCELLED: frozenset({TaskState.READY, TaskState.WAITING}),
    TaskState.QUARANTINED: frozenset({TaskState.READY, TaskState.WAITING}),
}


class Pool(IntEnum):
    """Which kind of worker may take a task: one pool per daemon."""

    COURIER = 1
    METADATA = 2
    TRANSCODER = 3


class TaskKind(StrEnum):
    """The verbs that are tasks."""

    FETCH = "fetch"
    PROBE = "probe"
    PLAN = "plan"
    ENCODE = "encode"
    PACKAGE = "package"
    MEASURE = "measure"
    EXTRACT = "extract"
    CONCAT = "concat"

    @property
    def pool(self) -> Pool:
        return _POOLS[self]

    @property
    def spec_version(self) -> int:
        """What a worker must understand to do such a task."""
        return _SPEC_VERSIONS[self]


_POOLS = {
    TaskKind.FETCH: Pool.COURIER,
    TaskKind.PROBE: Pool.METADATA,
    TaskKind.PLAN: Pool.METADATA,
    TaskKind.ENCODE: Pool.TRANSCODER,
    TaskKind.PACKAGE: Pool.TRANSCODER,
    TaskKind.MEASURE: Pool.TRANSCODER,
    TaskKind.EXTRACT: Pool.METADATA,
    TaskKind.CONCAT: Pool.TRANSCODER,
}
_SPEC_VERSIONS = {
    TaskKind.FETCH: 1,
    TaskKind.PROBE: 1,
    TaskKind.PLAN: 2,
    TaskKind.ENCODE: 3,
    TaskKind.PACKAGE: 3,
    TaskKind.MEASURE: 4,
    TaskKind.EXTRACT: 7,
    TaskKind.CONCAT: 5,
}


class AttemptOutcome(StrEnum):
    """How an attempt ended. A row without one is running."""

    OK = "ok"
    FAILED = "failed"
    RELEASED = "released"
    CANCELLED = "cancelled"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class Task:
    """A claimed task, as its worker sees it. `attempt` and `token` together are the fencing token."""

    id: int
    job_id: int
    media_id: int
    account_id: int
    kind: TaskKind
    spec: Mapping[str, Any]
    attempt: int
    token: bytes
    job_key: str  #: the job's public id, for logs and folders
    cost: float = 0.0  #: estimated CPU seconds of work

    @property
    def folder_name(self) -> str:
        """The name no other attempt can have: the number may repeat after a restored backup, the token cannot."""
        return f"a{self.attempt}-{self.token.hex()[:8]}"


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One file that an attempt made: where it lies below the attempt's folder, and what it must be."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What a beat brings back: what the worker shall do with the task it holds."""

    cancel: bool = False
    drain: bool = False


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """The record of one try, for people."""

    attempt: int
    host: str
    started_at: datetime
    ended_at: datetime | None
    outcome: AttemptOutcome | None
    error_code: str | None
    message: str | None
    log_tail: str | None


@dataclass(frozen=True, kw_only=True)
class StepView:
    """One unit of a job's work, in short."""

    id: int
    kind: TaskKind
    state: TaskState
    progress: float


@dataclass(frozen=True, kw_only=True)
class TaskView:
    """A task as clients and operators see it."""

    id: int
    kind: TaskKind
    state: TaskState
    progress: float
    attempts: int
    reason: str | None
    host: str | None
    output: str | None = None
    history: tuple[Attempt, ...] = field(default=())
