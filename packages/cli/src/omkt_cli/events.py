"""Server-sent events: the lines of a stream, read into events. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event of a stream."""

    kind: str
    data: str
    id: str | None


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the complete events; what follows the last empty line was cut off and counts for nothing."""
    kind, data, ident = "message", list[str](), None
    for line in lines:
        if not line:
            if data:
                yield Event(kind=kind, data="\n".join(data), id=ident)
            kind, data = "message", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data.append(value)
        elif name == "id":
            ident = value
