"""The tus protocol 1.0.0 as far as it is words: versions, headers, checksums. Pure; https://tus.io/protocols/resumable-upload."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from omkt_api.original_name import clean_name
from omkt_pipeline.domain.errors import Refused, TooLarge

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,checksum,termination"
ALGORITHMS = ("sha256", "sha1")
PART_TYPE = "application/offset+octet-stream"
_MAX_METADATA = 4096


class TusVersion:
    """Says on every answer to a tus client which version answers, on errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "tus-resumable" not in Headers(scope=scope):
            await self._app(scope, receive, send)
            return

        async def send_versioned(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Tus-Resumable"] = VERSION
                if message["status"] == 412:
                    headers["Tus-Version"] = VERSION
            await send(message)

        await self._app(scope, receive, send_versioned)


class Checksum:
    """What the client says the body of one request must hash to."""

    def __init__(self, algorithm: str, expected: bytes) -> None:
        self._digest = hashlib.new(algorithm, usedforsecurity=False)
        self._expected = expected

    def update(self, block: bytes | bytearray) -> None:
        self._digest.update(block)

    def check(self) -> None:
        """Raise Refused (checksum_mismatch) unless what was sent is what was meant."""
        if not hmac.compare_digest(self._digest.digest(), self._expected):
            raise Refused("The bytes are not those of Upload-Checksum; they were dropped.", code="checksum_mismatch")


def demand_version(headers: Mapping[str, str]) -> None:
    """Raise Refused (tus_version) for a client of another version."""
    if headers.get("tus-resumable") != VERSION:
        raise Refused(f"Send the header Tus-Resumable: {VERSION}.", code="tus_version")


def announced_length(headers: Mapping[str, str], *, largest: int) -> int:
    """Upload-Length. Raises Refused (upload_header_invalid, upload_empty), TooLarge (body_too_large)."""
    length = _number(headers, "upload-length")
    if length == 0:
        raise Refused("The upload has no bytes.", code="upload_empty")
    if length > largest:
        raise TooLarge(f"An upload may have at most {largest} bytes.", code="body_too_large")
    return length


def offset(headers: Mapping[str, str]) -> int:
    """Upload-Offset. Raises Refused (upload_header_invalid)."""
    return _number(headers, "upload-offset")


def metadata(headers: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Upload-Metadata as it was sent, and the file's name in it. Raises Refused (upload_header_invalid)."""
    text = headers.get("upload-metadata")
    if not text:
        return None, None
    if len(text) > _MAX_METADATA or not text.isascii():
        raise _invalid("Upload-Metadata", f"at most {_MAX_METADATA} ASCII characters")
    values: dict[str, bytes] = {}
    for pair in text.split(","):
        key, _, value = pair.strip().partition(" ")
        if not key or key in values:
            raise _invalid("Upload-Metadata", "pairs of a key and a value in base64, with different keys")
        values[key] = _decoded("Upload-Metadata", value)
    name = values.get("filename", values.get("name", b"")).decode(errors="replace")
    return text, clean_name(name)


def checksum(headers: Mapping[str, str]) -> Checksum | None:
    """Upload-Checksum, if sent. Raises Refused (upload_header_invalid)."""
    text = headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, value = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise _invalid("Upload-Checksum", f"one of {', '.join(ALGORITHMS)}, a space, and the checksum in base64")
    return Checksum(algorithm, _decoded("Upload-Checksum", value))


def expires(moment: datetime) -> str:
    """A moment as Upload-Expires says it."""
    return format_datetime(moment.replace(microsecond=0), usegmt=True)


def capabilities(*, largest: int) -> dict[str, str]:
    """What OPTIONS answers."""
    return {
        "Tus-Resumable": VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(largest),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }


def _number(headers: Mapping[str, str], name: str) -> int:
    text = headers.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise _invalid(name.title(), "a number of bytes")
    return int(text)


def _decoded(header: str, value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise _invalid(header, "values in base64") from None


def _invalid(header: str, form: Any) -> Refused:
    return Refused(f"The header {header} must hold {form}.", code="upload_header_invalid")
