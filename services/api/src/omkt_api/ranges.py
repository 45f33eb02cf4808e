"""Which bytes of a file a GET or HEAD is answered with, as RFC 9110 has it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

#: One range. Several at once are legal to answer with the whole file, and that is what they get.
_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)
_TAG = re.compile(r'(?:W/)?("[^"]*")')


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The answer: its status, and the bytes [start, stop) of the file. 304 and 416 carry none."""

    status: int
    start: int = 0
    stop: int = 0

    @property
    def length(self) -> int:
        return self.stop - self.start


def choose(method: str, headers: Mapping[str, str], *, size: int, etag: str) -> Slice:
    """Decide between 200, 206, 304 and 416. `etag` is strong and stands in its quotes."""
    if _already_there(headers.get("if-none-match"), etag):
        return Slice(status=304)
    wanted = headers.get("range")
    # Without Last-Modified in our answers, a date in If-Range can never be proven to be ours.
    current = headers.get("if-range", etag).strip() == etag
    # Range is defined for GET alone.
    found = _RANGE.fullmatch(wanted) if wanted and current and method == "GET" else None
    if found is None or not (found[1] or found[2]):
        return Slice(status=200, stop=size)
    return _part(found[1], found[2], size)


def _part(first: str, last: str, size: int) -> Slice:
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:  # not a range at all, so it is as if it were not there
            return Slice(status=200, stop=size)
    return Slice(status=206, start=start, stop=stop) if start < stop else Slice(status=416)


def _already_there(condition: str | None, etag: str) -> bool:
    if condition is None:
        return False
    return condition.strip() == "*" or etag in _TAG.findall(condition)
