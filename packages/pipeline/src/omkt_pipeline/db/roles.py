"""What each kind of process may do with each table. On the server each has a user of its own with these rights and no more."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """Whose rights they are."""

    API = "api"
    COURIER = "courier"
    WORKER = "worker"  #: metadata and transcoder, on any host


_LOOK = "SELECT"
_KEEP = "SELECT, INSERT, UPDATE"
_ALL = "SELECT, INSERT, UPDATE, DELETE"

#: What metadata and transcoder do. No keys, no uploads, no webhook secrets, nothing of the schema.
_WORKER = {
    "alembic_version": _LOOK,
    "account": "SELECT (id, weight, max_daily_minutes, max_running)",
    "artifact": "SELECT, INSERT, DELETE",
    "event": "SELECT (id), INSERT",
    "fair_share": "SELECT, UPDATE",
    "farm": "SELECT (id, farm_id, exports, exports_at, oldest_revision, paused, steering)",
    "host": _KEEP,
    "job": "SELECT, UPDATE",
    "media": "SELECT, UPDATE",
    "outbox": "SELECT, INSERT",
    "output": _KEEP,
    "preset": _LOOK,
    "task": _KEEP,
    "task_attempt": _KEEP,
    "task_edge": "SELECT, INSERT, DELETE",
    "webhook_endpoint": "SELECT (id, account_id, url, topics, enabled)",
    "worker": _KEEP,
}
#: What fetches, notifies and expires. It signs with the secrets of accounts and endpoints; it reads no key, and makes no
#: account, job or task.
_COURIER = {
    "alembic_version": _LOOK,
    "account": _LOOK,
    "artifact": "SELECT, INSERT, DELETE",
    "delivery": "SELECT, INSERT",
    "event": "SELECT, INSERT, DELETE",
    "fair_share": "SELECT, UPDATE",
    "farm": "SELECT (id, farm_id, exports, exports_at, oldest_revision, paused, steering), UPDATE (exports, exports_at)",
    "host": _KEEP,
    "idempotency": "SELECT, DELETE",
    "job": "SELECT, UPDATE",
    "media": "SELECT, UPDATE",
    "outbox": _KEEP,
    "output": "SELECT, UPDATE",
    "task": "SELECT, UPDATE",
    "task_attempt": _KEEP,
    "task_edge": _LOOK,
    "trail": "SELECT, DELETE",
    "upload": "SELECT, UPDATE, DELETE",
    "webhook_endpoint": "SELECT, UPDATE",
    "wire_application": _LOOK,
    "wire_client": "SELECT, UPDATE",
    "wire_format": _LOOK,
    "wire_media": "SELECT, UPDATE",
    "worker": _KEEP,
}
#: What the API does, and the command line in its container. What workers have done it reads, and changes nothing of it.
_API = {
    "alembic_version": _LOOK,
    "account": _KEEP,
    "api_key": _KEEP,
    "artifact": _LOOK,
    "delivery": _LOOK,
    "event": "SELECT, INSERT",
    "fair_share": _KEEP,
    "farm": "SELECT, UPDATE (paused, steering)",
    "host": "SELECT, UPDATE, DELETE",
    "idempotency": "SELECT, INSERT",
    "job": _KEEP,
    "media": _KEEP,
    "outbox": _ALL,
    "output": "SELECT, UPDATE",
    "preset": _ALL,
    "task": _KEEP,
    "task_attempt": _LOOK,
    "task_edge": "SELECT, INSERT, DELETE",
    "trail": "SELECT, INSERT",
    "upload": _ALL,
    "webhook_endpoint": _ALL,
    "wire_application": _ALL,
    "wire_client": _ALL,
    "wire_format": _ALL,
    "wire_media": _ALL,
    "worker": _LOOK,
}

RIGHTS: Mapping[Role, Mapping[str, str]] = {Role.API: _API, Role.COURIER: _COURIER, Role.WORKER: _WORKER}
