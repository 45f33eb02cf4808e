"""When a broken download may be continued: only if the server can prove that it still has the same bytes. Pure."""

import email.utils
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

#: A file younger than this may have been changed twice within the same second of its date.
_SETTLED_SECONDS = 60.0

_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]*"')
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


@dataclass(frozen=True, kw_only=True)
class Range:
    """The part of a file that a 206 response carries."""

    first: int
    last: int
    total: int | None  #: size of the whole file, where the server knows it


def validator(headers: Mapping[str, str]) -> str | None:
    """What to send as If-Range: a strong ETag, else a Last-Modified that was a minute old, else None (start again)."""
    if _STRONG_ETAG.fullmatch(headers.get("etag", "")):
        return headers["etag"]
    modified, sent = _date(headers.get("last-modified")), _date(headers.get("date"))
    if "etag" in headers or modified is None or sent is None:
        return None
    return headers["last-modified"] if (sent - modified).total_seconds() >= _SETTLED_SECONDS else None


def content_range(headers: Mapping[str, str]) -> Range | None:
    """The Content-Range of a response, if it is one range of bytes that makes sense."""
    match = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if match is None:
        return None
    first, last = int(match[1]), int(match[2])
    total = None if match[3] == "*" else int(match[3])
    return None if last < first or (total is not None and last >= total) else Range(first=first, last=last, total=total)


def content_length(headers: Mapping[str, str]) -> int | None:
    """The announced size of the body in bytes; None when there is none, or when it is chunked and so does not count."""
    value = headers.get("content-length", "")
    return int(value) if "transfer-encoding" not in headers and re.fullmatch(r"[0-9]{1,30}", value) else None


def backoff(fruitless: int) -> float:
    """Seconds to wait before asking again, after so many tries in a row that brought nothing."""
    return _BACKOFF_SECONDS[min(fruitless, len(_BACKOFF_SECONDS) - 1)]


def _date(value: str | None) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(value) if value else None
    except (ValueError, TypeError, IndexError):
        return None
