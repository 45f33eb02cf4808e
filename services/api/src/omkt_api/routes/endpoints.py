"""/v1/webhook-endpoints: addresses of an account that hear of all its jobs."""

from datetime import datetime
from typing import Annotated, get_args

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from omkt_api.deps import Caller, KeyedRoute, TheApi
from omkt_api.guard import OutsidePolicy, check_url
from omkt_api.problems import documented
from omkt_api.routes.jobs import KEYED, UNREADABLE
from omkt_api.schemas import Topic
from omkt_pipeline.domain.account import Scope
from omkt_pipeline.domain.errors import FetchError, Refused
from omkt_pipeline.queue import endpoints as queue
from omkt_pipeline.queue.endpoints import Endpoint


class _AdminRoute(KeyedRoute):
    """Who decides where an account's news go decides over the account."""

    def needs(self, method: str) -> Scope:
        return Scope.READ if method in ("GET", "HEAD", "OPTIONS") else Scope.ADMIN


router = APIRouter(prefix="/v1/webhook-endpoints", tags=["webhooks"], route_class=_AdminRoute)

Key = Annotated[str, Path(max_length=26, description="The endpoint's id.")]
assert set(get_args(Topic)) < set(queue.TOPICS)  # noqa: S101 - one list for people, one for programs
_UNKNOWN = (404, "endpoint_unknown")
_REFUSED = (400, "callback_refused")


class EndpointCreate(BaseModel):
    """An address to be told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(min_length=1, max_length=2048, examples=["https://shop.example/hooks/omkt"])
    types: list[Topic] = Field(default=[], max_length=8, description="Only these events; by default all.")


class EndpointChange(BaseModel):
    """What shall be otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(default=None, min_length=1, max_length=2048)
    types: list[Topic] | None = Field(default=None, max_length=8)
    enabled: bool | None = Field(default=None, description="true also forgets how long it failed.")


class EndpointOut(BaseModel):
    """An endpoint without its secret."""

    id: str
    url: str
    types: list[str] = Field(description="None: all.")
    enabled: bool
    failing_since: datetime | None = Field(
        description="It took nothing since then; after five days it is disabled, with the event `endpoint.disabled`."
    )
    created_at: datetime


class NewEndpointOut(BaseModel):
    """An endpoint with the secret that signs what it gets."""

    endpoint: EndpointOut
    secret: str = Field(description="Shown this once.", examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class SecretOut(BaseModel):
    secret: str = Field(description="Shown this once; the old one signs nothing any more.")


class EndpointsOut(BaseModel):
    endpoints: list[EndpointOut]


@router.get("", operation_id="list_endpoints", summary="List endpoints", responses=documented(*KEYED))
def list_endpoints(api: TheApi, caller: Caller) -> EndpointsOut:
    """Your endpoints, oldest first."""
    return EndpointsOut(endpoints=[_shown(one) for one in queue.endpoints_of(api.database, caller.id)])


@router.post(
    "",
    operation_id="create_endpoint",
    summary="Make an endpoint",
    status_code=201,
    responses=documented(*KEYED, UNREADABLE, _REFUSED, (409, "endpoints_too_many"), (413, "body_too_large")),
)
def create_endpoint(wanted: EndpointCreate, api: TheApi, caller: Caller) -> NewEndpointOut:
    """Hear of all your jobs at one address, signed as Standard Webhooks says, again for days until it takes it."""
    _demand_callable(wanted.url, api.policy)
    made, secret = queue.create_endpoint(api.database, caller.id, url=wanted.url, topics=wanted.types)
    return NewEndpointOut(endpoint=_shown(made), secret=secret)


@router.get("/{key}", operation_id="get_endpoint", summary="Get an endpoint", responses=documented(*KEYED, _UNKNOWN))
def get_endpoint(key: Key, api: TheApi, caller: Caller) -> EndpointOut:
    """One endpoint."""
    return _shown(queue.endpoint_of(api.database, caller.id, key))


@router.patch(
    "/{key}",
    operation_id="change_endpoint",
    summary="Change an endpoint",
    responses=documented(*KEYED, UNREADABLE, _REFUSED, _UNKNOWN, (413, "body_too_large")),
)
def change_endpoint(key: Key, wanted: EndpointChange, api: TheApi, caller: Caller) -> EndpointOut:
    """Change its address or its events, or switch it off and on. What is due already goes where it was to go."""
    if wanted.url is not None:
        _demand_callable(wanted.url, api.policy)
    return _shown(
        queue.change_endpoint(api.database, caller.id, key, url=wanted.url, topics=wanted.types, enabled=wanted.enabled)
    )


@router.post(
    "/{key}/rotate-secret",
    operation_id="rotate_endpoint_secret",
    summary="Change an endpoint's secret",
    responses=documented(*KEYED, _UNKNOWN),
)
def rotate_endpoint_secret(key: Key, api: TheApi, caller: Caller) -> SecretOut:
    """Sign with a new secret from now on."""
    return SecretOut(secret=queue.rotate_secret(api.database, caller.id, key))


@router.delete(
    "/{key}",
    operation_id="delete_endpoint",
    summary="Delete an endpoint",
    status_code=204,
    responses=documented(*KEYED, _UNKNOWN),
)
def delete_endpoint(key: Key, api: TheApi, caller: Caller) -> Response:
    """Tell it nothing more, not even what is due."""
    queue.delete_endpoint(api.database, caller.id, key)
    return Response(status_code=204)


def _demand_callable(url: str, policy: OutsidePolicy) -> None:
    try:
        check_url(url, policy)
    except FetchError as error:
        raise Refused(f"The endpoint cannot be called: {error.message}", code="callback_refused") from None


def _shown(endpoint: Endpoint) -> EndpointOut:
    return EndpointOut(
        id=endpoint.key,
        url=endpoint.url,
        types=list(endpoint.topics),
        enabled=endpoint.enabled,
        failing_since=endpoint.failing_since,
        created_at=endpoint.created_at,
    )
