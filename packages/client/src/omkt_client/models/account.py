"""Webhooks and keys of an account."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from omkt_client.models.model import Model


class Endpoint(Model):
    """An address that hears of all jobs of an account."""

    id: str
    url: str
    types: tuple[str, ...]
    enabled: bool
    failing_since: datetime | None = None
    created_at: datetime


class Endpoints(Model):
    endpoints: tuple[Endpoint, ...]


class NewEndpoint(Model):
    endpoint: Endpoint
    secret: str  #: with which its webhooks are signed; shown this once


class Secret(Model):
    secret: str


class Delivery(Model):
    at: datetime
    status: int | None = None
    error: str | None = None
    seconds: float


class Webhook(Model):
    """A message about a job, and what became of it."""

    id: str
    type: str
    url: str
    state: str
    payload: Mapping[str, Any]
    created_at: datetime
    next_try_at: datetime | None = None
    deliveries: tuple[Delivery, ...]


class Webhooks(Model):
    webhooks: tuple[Webhook, ...]


class Key(Model):
    id: str
    name: str
    scope: str
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None


class Keys(Model):
    keys: tuple[Key, ...]


class NewKey(Model):
    id: str
    key: str  #: shown this once
