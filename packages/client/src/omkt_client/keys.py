"""Keys of the account."""

from datetime import datetime

from pydantic import TypeAdapter

from omkt_client.call import NOTHING, Call, path
from omkt_client.models import Keys, NewKey

_KEYS, _NEW = TypeAdapter(Keys), TypeAdapter(NewKey)


def all_of_them() -> Call[Keys]:
    """The account's keys, without the keys themselves."""
    return Call(method="GET", path=path("keys"), answer=_KEYS)


def add(name: str, *, scope: str, expires_at: datetime | None = None) -> Call[NewKey]:
    """Make one more key. The answer shows it, once."""
    body = {"name": name, "scope": scope, "expires_at": expires_at.isoformat() if expires_at else None}
    return Call(method="POST", path=path("keys"), answer=_NEW, body=body)


def revoke(key_id: str) -> Call[None]:
    """Let a key open nothing more."""
    return Call(method="DELETE", path=path("keys", key_id), answer=NOTHING)
