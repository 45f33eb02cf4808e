"""What the API answers, read at the door into values. Unknown fields are ignored: a newer server may say more."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from omkt_cli.faults import Exit, Fault

T = TypeVar("T")
FINAL = frozenset({"succeeded", "failed", "cancelled", "expired"})


@dataclass(frozen=True, kw_only=True)
class Output:
    """What one preset delivers."""

    id: str
    preset: str
    state: str
    kind: str
    entry: str | None
    bytes: int | None
    play_url: str | None
    result: Mapping[str, Any]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Output":
        return cls(
            id=data["id"],
            preset=data["preset"],
            state=data["state"],
            kind=data.get("kind") or "",
            entry=data.get("entry"),
            bytes=data.get("bytes"),
            play_url=data.get("play_url"),
            result=data.get("result") or {},
        )


@dataclass(frozen=True, kw_only=True)
class Job:
    """One request for outputs."""

    id: str
    state: str
    stage: str | None
    progress: float
    presets: Sequence[str]
    name: str
    error: str | None
    warnings: Sequence[str]
    created_at: str
    outputs: Sequence[Output]
    #: As the server said it, for `--json`.
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Job":
        source, media, error = data.get("source") or {}, data.get("media") or {}, data.get("error")
        return cls(
            id=data["id"],
            state=data["state"],
            stage=data.get("stage"),
            progress=float(data.get("progress") or 0.0),
            presets=tuple(data.get("presets") or ()),
            name=str(media.get("name") or source.get("value") or ""),
            error=f"{error['message']} [{error['code']}]" if error else None,
            warnings=tuple(data.get("warnings") or ()),
            created_at=str(data.get("created_at") or ""),
            outputs=tuple(Output.of(output) for output in data.get("outputs") or ()),
            raw=data,
        )


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of an output."""

    path: str
    bytes: int
    sha256: str | None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "File":
        return cls(path=data["path"], bytes=int(data["bytes"]), sha256=data.get("sha256"))


def understood(read: Callable[[Any], T], data: Any) -> T:
    """Read an answer. Raises Fault when it is not what this API says, so: when this is another server."""
    try:
        return read(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Fault("The server's answer is not that of an OpenMediaKit farm.", Exit.UNREACHABLE) from error
