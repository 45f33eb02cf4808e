"""What clients get: jobs, tasks, outputs and presets in the words of the HTTP API. Rendered from the domain's values."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, Field

from omkt_api.links import Links
from omkt_pipeline.domain.job import JobState, JobView, OutputState, OutputView, Priority, SourceKind
from omkt_pipeline.domain.task import Attempt, TaskView
from omkt_pipeline.queue.overview import PublishedOutput

#: What a browser's video element plays, or what hls.js plays for it.
_PLAYABLE_FILES = (".mp4", ".m4a", ".webm", ".mp3", ".ogg")


class SourceOut(BaseModel):
    kind: SourceKind
    value: str


class MediaOut(BaseModel):
    id: str
    name: str | None
    bytes: int | None
    facts: dict[str, Any] | None = Field(description="What probing found; null before it.")


class CallbackOut(BaseModel):
    url: str
    types: list[str] = Field(description="The types of events that it hears of; none: the job's ends.")


class ErrorOut(BaseModel):
    """Why a job failed."""

    code: str = Field(examples=["source_unreadable"])
    message: str


class OutputOut(BaseModel):
    """What one preset delivers."""

    id: str
    preset: str
    state: OutputState
    kind: str = Field(description="`hls`, `file` or `images`.")
    entry: str | None = Field(description="The file to open first.", examples=["master.m3u8"])
    bytes: int | None
    result: dict[str, Any] | None = Field(description="Facts of what was made.")
    files_url: str | None = Field(description="Signed address of the folder of the files: append a file's path.")
    play_url: str | None = Field(description="Signed address of a page that plays the output.")


class JobOut(BaseModel):
    """A job."""

    id: str
    state: JobState
    stage: str | None = Field(description="While running: fetch, probe, plan, encode or package.")
    progress: float = Field(ge=0, le=1)
    presets: list[str]
    priority: Priority
    source: SourceOut
    media: MediaOut | None
    client_data: str | None
    callback: CallbackOut | None
    tags: list[str]
    not_before: datetime | None
    deadline: datetime | None
    error: ErrorOut | None
    warnings: list[str]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    outputs: list[OutputOut]
    frames: int | None = Field(description="While running: of the source's picture, encoded so far.")
    speed: float | None = Field(
        description="While running: seconds of the source encoded in a second, since it was planned."
    )
    seconds_left: float | None = Field(description="While running: until the end, if it goes on as so far.")


class StepOut(BaseModel):
    """One unit of work in events with `tasks=true`."""

    id: int
    kind: str
    state: str
    progress: float


class WatchedOut(JobOut):
    """The job with its units of work: chunks of a film are encoded one by one."""

    tasks: list[StepOut]


class JobsOut(BaseModel):
    """A page of jobs, newest first."""

    jobs: list[JobOut]
    next: str | None = Field(description="Give it as `cursor` for the following page; null on the last one.")


class AttemptOut(BaseModel):
    attempt: int
    host: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    error: ErrorOut | None


class TaskOut(BaseModel):
    id: int
    kind: str
    state: str
    progress: float
    attempts: int
    reason: str | None
    host: str | None
    output: str | None
    history: list[AttemptOut]


class TasksOut(BaseModel):
    tasks: list[TaskOut]


class FileOut(BaseModel):
    path: str
    bytes: int
    sha256: str
    url: str = Field(description="Signed; no key is needed, until it expires.")


class OutputFilesOut(BaseModel):
    """A published output with its files."""

    id: str
    preset: str
    kind: str
    entry: str
    bytes: int
    result: dict[str, Any]
    files: list[FileOut]
    files_url: str
    zip_url: str = Field(description="Signed address of all files as one zip.")
    play_url: str | None


class UploadOut(BaseModel):
    id: str = Field(description="For `source.upload` of a job.")
    name: str | None
    bytes: int
    sha256: str


class UploadStateOut(BaseModel):
    """How far an upload is."""

    id: str
    name: str | None
    bytes: int = Field(description="As announced.")
    received: int = Field(description="Safe on the share.")
    complete: bool
    sha256: str | None = Field(description="Once complete.")
    expires_at: datetime | None = Field(description="When it is given up unless it is continued; null once complete.")


@dataclass(frozen=True, kw_only=True)
class Renderer:
    """Renders with links that begin at `base`, the address under which this client reaches the API."""

    links: Links
    base: str
    clock: Callable[[], float] = time.time

    def job(self, view: JobView) -> JobOut:
        return JobOut(
            id=view.key,
            state=view.state,
            stage=view.stage,
            progress=view.progress,
            presets=list(view.presets),
            priority=view.priority,
            source=SourceOut(kind=view.source.kind, value=view.source.value),
            media=_media(view),
            client_data=view.client_data,
            callback=CallbackOut(url=view.callback_url, types=list(view.callback_types)) if view.callback_url else None,
            tags=list(view.tags),
            not_before=view.not_before,
            deadline=view.deadline,
            error=ErrorOut(code=view.error.code, message=view.error.message) if view.error else None,
            warnings=list(view.warnings),
            created_at=view.created_at,
            started_at=view.started_at,
            finished_at=view.finished_at,
            outputs=[self._output(view.key, output) for output in view.outputs],
            frames=view.pace.frames if view.pace else None,
            speed=view.pace.speed if view.pace else None,
            seconds_left=view.pace.seconds_left if view.pace else None,
        )

    def watched(self, view: JobView) -> WatchedOut:
        steps = [
            StepOut(id=one.id, kind=one.kind, state=one.state.name.lower(), progress=one.progress) for one in view.steps
        ]
        return WatchedOut(**self.job(view).model_dump(), tasks=steps)

    def published(self, output: PublishedOutput) -> OutputFilesOut:
        token = self.links.token(output.job_key, output.output_key, now=self.clock())
        folder = self._files_url(token)
        return OutputFilesOut(
            id=output.output_key,
            preset=output.preset,
            kind=output.kind,
            entry=output.entry,
            bytes=output.bytes,
            result=dict(output.result),
            files=[
                FileOut(path=path, bytes=file.bytes, sha256=file.sha256, url=folder + quote(path))
                for path, file in output.files.items()
            ],
            files_url=folder,
            zip_url=f"{self.base}/v1/zips/{token}",
            play_url=self._play_url(token, output.kind, output.entry),
        )

    def _output(self, job_key: str, output: OutputView) -> OutputOut:
        ready = output.state is OutputState.PUBLISHED
        token = self.links.token(job_key, output.key, now=self.clock()) if ready else None
        return OutputOut(
            id=output.key,
            preset=output.preset,
            state=output.state,
            kind=output.kind,
            entry=output.entry,
            bytes=output.bytes,
            result=dict(output.result) if output.result is not None else None,
            files_url=self._files_url(token) if token else None,
            play_url=self._play_url(token, output.kind, output.entry) if token else None,
        )

    def _files_url(self, token: str) -> str:
        return f"{self.base}/v1/files/{token}/"

    def _play_url(self, token: str, kind: str, entry: str | None) -> str | None:
        return f"{self.base}/play/{token}" if playable(kind, entry) else None


def playable(kind: str, entry: str | None) -> bool:
    """Whether the player page can show an output."""
    return kind == "hls" or (entry is not None and PurePosixPath(entry).suffix in _PLAYABLE_FILES)


def tasks(found: Iterable[TaskView]) -> TasksOut:
    return TasksOut(
        tasks=[
            TaskOut(
                id=task.id,
                kind=task.kind,
                state=task.state.name.lower(),
                progress=task.progress,
                attempts=task.attempts,
                reason=task.reason,
                host=task.host,
                output=task.output,
                history=[_attempt(one) for one in task.history],
            )
            for task in found
        ]
    )


def _attempt(tried: Attempt) -> AttemptOut:
    """Without the tool's own words: paths of hosts stand in them."""
    return AttemptOut(
        attempt=tried.attempt,
        host=tried.host,
        started_at=tried.started_at,
        ended_at=tried.ended_at,
        outcome=tried.outcome,
        error=ErrorOut(code=tried.error_code, message=tried.message or "") if tried.error_code else None,
    )


def _media(view: JobView) -> MediaOut | None:
    known = view.media
    if known is None:
        return None
    return MediaOut(id=known["key"], name=known["name"], bytes=known["bytes"], facts=_shown(known["facts"]))


def _shown(facts: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Facts for clients: without the index of key frames, thousands of numbers that only the planner reads."""
    if facts is None:
        return None
    tracks = [{name: value for name, value in track.items() if name != "key_times"} for track in facts.get("video", ())]
    return {**facts, "video": tracks} if "video" in facts else dict(facts)
