"""Signed links: whoever holds one may read the files of one output until it expires. Pure; the clock is given."""

import base64
import binascii
import hashlib
import hmac
import math
import re
from dataclasses import dataclass

from omkt_pipeline.domain.errors import NotFound

LIFE_SECONDS = 24 * 3600
#: Links end at full hours, so that the same output has the same address for a while and players can cache.
_ROUND_SECONDS = 3600
_PAYLOAD = re.compile(r"([a-z2-7]{26})\.([a-z0-9-]{1,64})\.([0-9]{1,12})")
_MAX_TOKEN = 512
#: The farm's key is used for links alone under this name; other uses of it would take another.
_PURPOSE = b"omkt link v1\0"


@dataclass(frozen=True, kw_only=True)
class Link:
    """What a token opens."""

    job_key: str
    output_key: str
    expires: int  #: seconds since 1970


class Links:
    """Makes and reads tokens with the farm's key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, job_key: str, output_key: str, *, now: float, life_seconds: int = LIFE_SECONDS) -> str:
        """A token for one output. It holds at least `life_seconds`, and at most an hour more."""
        expires = math.ceil((now + life_seconds) / _ROUND_SECONDS) * _ROUND_SECONDS
        payload = f"{job_key}.{output_key}.{expires}".encode()
        return f"{_base64(payload)}.{_base64(self._mac(payload))}"

    def read(self, token: str, *, now: float) -> Link:
        """What the token opens. Raises NotFound (link_invalid, link_expired)."""
        body, _, mac = token[:_MAX_TOKEN].partition(".")
        payload = _bytes(body)
        if payload is None or not hmac.compare_digest(_bytes(mac) or b"", self._mac(payload)):
            raise _invalid()
        found = _PAYLOAD.fullmatch(payload.decode("ascii", "replace"))
        if found is None:
            raise _invalid()
        link = Link(job_key=found[1], output_key=found[2], expires=int(found[3]))
        if link.expires <= now:
            raise NotFound(
                "This link has expired. Ask for the job again: its answer has fresh links.", code="link_expired"
            )
        return link

    def _mac(self, payload: bytes) -> bytes:
        return hmac.new(self._key, _PURPOSE + payload, hashlib.sha256).digest()


def _invalid() -> NotFound:
    return NotFound("This link is not one of this farm's.", code="link_invalid")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes | None:
    """The bytes of unpadded base64url; None for anything else, other spellings of the same bytes included."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    return data if _base64(data) == text else None
