"""Accounts as operators see them, and the trail of what was changed."""

from datetime import datetime

from omkt_client.models.model import Model


class Usage(Model):
    """What an account uses: bytes, and minutes of source in jobs of the last 24 hours."""

    original_bytes: int
    result_bytes: int
    minutes_today: float


class Account(Model):
    """An account with its limits; None: no limit."""

    name: str
    weight: float
    operator: bool
    created_at: datetime
    max_bytes: int | None = None
    max_upload_bytes: int | None = None
    max_daily_minutes: float | None = None
    max_running: int | None = None
    usage: Usage | None = None


class Accounts(Model):
    accounts: tuple[Account, ...]
    next: str | None = None


class NewAccount(Model):
    """An account, with what is shown this once."""

    account: Account
    key: str
    webhook_secret: str


class Step(Model):
    """Something that somebody changed."""

    id: int
    at: datetime
    account: str | None = None
    key: str | None = None
    address: str | None = None
    action: str
    target: str


class Trail(Model):
    steps: tuple[Step, ...]
    next: int | None = None
