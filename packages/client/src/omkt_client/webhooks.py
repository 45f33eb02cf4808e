"""Webhooks: addresses that hear of all jobs, and what became of messages."""

from collections.abc import Sequence

from pydantic import TypeAdapter

from omkt_client.call import NOTHING, Call, path
from omkt_client.models import Endpoint, Endpoints, NewEndpoint, Secret, Webhooks

_ENDPOINT, _ENDPOINTS, _NEW = TypeAdapter(Endpoint), TypeAdapter(Endpoints), TypeAdapter(NewEndpoint)
_SECRET, _WEBHOOKS = TypeAdapter(Secret), TypeAdapter(Webhooks)
_ROOM = "webhook-endpoints"


def endpoints() -> Call[Endpoints]:
    """The addresses that hear of this account's jobs."""
    return Call(method="GET", path=path(_ROOM), answer=_ENDPOINTS)


def add_endpoint(url: str, types: Sequence[str] = ()) -> Call[NewEndpoint]:
    """Add an address; `types` are the events it hears of, none for all. The answer shows its secret, once."""
    return Call(method="POST", path=path(_ROOM), answer=_NEW, body={"url": url, "types": list(types)})


def change_endpoint(
    endpoint_id: str, *, url: str | None = None, types: Sequence[str] | None = None, enabled: bool | None = None
) -> Call[Endpoint]:
    """Change what is not None."""
    body = {"url": url, "types": None if types is None else list(types), "enabled": enabled}
    said = {name: value for name, value in body.items() if value is not None}
    return Call(method="PATCH", path=path(_ROOM, endpoint_id), answer=_ENDPOINT, body=said)


def remove_endpoint(endpoint_id: str) -> Call[None]:
    """Let an address hear nothing more."""
    return Call(method="DELETE", path=path(_ROOM, endpoint_id), answer=NOTHING)


def rotate_secret(endpoint_id: str) -> Call[Secret]:
    """Sign with a new secret; the old one counts no more."""
    return Call(method="POST", path=path(_ROOM, endpoint_id, "rotate-secret"), answer=_SECRET)


def of_job(job_id: str) -> Call[Webhooks]:
    """The messages about a job, with every try to deliver them."""
    return Call(method="GET", path=path("jobs", job_id, "webhooks"), answer=_WEBHOOKS)


def replay(job_id: str, message_id: str) -> Call[None]:
    """Deliver a message again."""
    return Call(method="POST", path=path("jobs", job_id, "webhooks", message_id, "replay"), answer=NOTHING)
