"""Server-sent events: the lines of a stream, read into events."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydantic import ValidationError

from omkt_client.errors import Misunderstood
from omkt_client.models import Job


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event of a stream."""

    kind: str
    data: str
    id: str | None


@dataclass
class Lines:
    """Takes the lines of a stream one by one; what follows the last empty line was cut off and counts for nothing."""

    _kind: str = "message"
    _data: list[str] = field(default_factory=list)
    _id: str | None = None

    def take(self, line: str) -> Event | None:
        """The event that this line completes."""
        if line:
            self._keep(line)
            return None
        made = Event(kind=self._kind, data="\n".join(self._data), id=self._id) if self._data else None
        self._kind, self._data = "message", []
        return made

    def _keep(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._kind = value
        elif name == "data":
            self._data.append(value)
        elif name == "id":
            self._id = value


def events_in(lines: Iterable[str]) -> Iterator[Event]:
    """The complete events of a stream."""
    taker = Lines()
    return (event for line in lines if (event := taker.take(line)) is not None)


def job_in(event: Event) -> Job | None:
    """The job that an event of a job's stream tells of. Raises Misunderstood when its words are no job."""
    if event.kind != "job":
        return None
    try:
        return Job.model_validate(json.loads(event.data))
    except (ValidationError, ValueError) as error:
        raise Misunderstood("The server's answer is not that of an OpenMediaKit farm.") from error
