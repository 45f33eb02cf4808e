"""What a finished attempt changes beside its own row, written in the transaction that settles it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from omkt_pipeline.domain.plan import Plan
from omkt_pipeline.domain.task import Artifact


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """The original is on the share, at `path` below its root."""

    path: str
    bytes: int
    sha256: str
    name: str | None = None  #: the name the server gave it


@dataclass(frozen=True, kw_only=True)
class Probed:
    """What probing found: our facts (domain.media.MediaFacts as JSON) and ffprobe's own words."""

    facts: Mapping[str, Any]
    raw: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the whole source measures: domain.media.Measures as JSON."""

    measures: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """The job's tasks and outputs, to be created."""

    plan: Plan


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Renditions lie in the attempt's staging folder; `facts` say what encoding them took."""

    facts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Published:
    """One output is complete in the attempt's result folder."""

    output: str  #: key of the output
    entry: str  #: the file to open first
    result: Mapping[str, Any]


Effect = Fetched | Probed | Measured | Planned | Encoded | Published


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What a handler returns when its attempt succeeded."""

    effect: Effect
    folder: str | None = None  #: where the artifacts lie, below the share's root
    artifacts: tuple[Artifact, ...] = field(default=())
