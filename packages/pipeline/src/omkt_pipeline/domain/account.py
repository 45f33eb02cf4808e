"""Accounts and their keys. A key is 256 random bits; only its hash is kept."""

import base64
import hashlib
import hmac
import secrets
import zlib
from dataclasses import dataclass
from enum import StrEnum

from omkt_pipeline.domain.errors import Refused

_PREFIX = "omkt"


class Scope(StrEnum):
    """What a key may do with the things of its account. Each may do what those before it may."""

    READ = "read"  #: look and download
    WRITE = "write"  #: upload, submit, cancel, delete
    ADMIN = "admin"  #: make and revoke keys

    def covers(self, needed: "Scope") -> bool:
        """Whether a key of this scope may do what needs the other."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """Limits of an account; None: none."""

    max_bytes: int | None = None  #: of originals and results on the share
    max_upload_bytes: int | None = None  #: of one upload
    max_daily_minutes: float | None = None  #: of source, in jobs of 24 hours
    max_running: int | None = None  #: tasks at the same time on the whole farm


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who asks, and what the key by which they ask may do."""

    id: int
    name: str
    webhook_secret: str
    scope: Scope = Scope.ADMIN
    key_id: str | None = None  #: of the key by which they ask
    operator: bool = False  #: may see and steer what belongs to the farm and not to one account
    quotas: Quotas = Quotas()


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key in clear, as it is shown once: omkt_<id>_<secret>_<checksum>."""

    id: str
    secret: str

    @classmethod
    def new(cls) -> "ApiKey":
        return cls(id=secrets.token_hex(4), secret=secrets.token_urlsafe(32).replace("_", "-"))

    @classmethod
    def parse(cls, text: str) -> "ApiKey":
        """Read a key. Raises Refused for what cannot be one, so that typing errors never reach the database."""
        parts = text.split("_")
        if len(parts) == 4 and parts[0] == _PREFIX:
            key = cls(id=parts[1], secret=parts[2])
            if hmac.compare_digest(str(key).encode(), text.encode()):
                return key
        raise Refused("This is not an API key of this farm.", code="key_invalid")

    @property
    def hash(self) -> str:
        """SHA-256 of the secret: enough for random secrets, and no lever for overload as a slow hash would be."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def __str__(self) -> str:
        body = f"{_PREFIX}_{self.id}_{self.secret}"
        return f"{body}_{zlib.crc32(body.encode()):08x}"


def new_webhook_secret() -> str:
    """A signing secret as the Standard Webhooks specification writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
