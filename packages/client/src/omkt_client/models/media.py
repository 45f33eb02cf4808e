"""Media, uploads, plans and presets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from omkt_client.models.jobs import Source
from omkt_client.models.model import Model


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
