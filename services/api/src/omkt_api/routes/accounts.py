"""/v1/accounts: who uses the farm, for its operators."""

from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from omkt_api.deps import Api, KeyedRoute, TheApi
from omkt_api.problems import documented
from omkt_api.routes.hosts import FOR_OPERATORS, operators_only
from omkt_api.routes.jobs import UNREADABLE
from omkt_api.routes.keys import KeyCreate, NewKeyOut
from omkt_pipeline.domain.account import Quotas, Scope
from omkt_pipeline.queue.accounts import create_account
from omkt_pipeline.queue.api_keys import create_key
from omkt_pipeline.queue.quotas import Usage
from omkt_pipeline.queue.tenants import Tenant, change_tenant, tenant, tenants


class _AccountsRoute(KeyedRoute):
    def needs(self, method: str) -> Scope:  # noqa: ARG002 - whoever sees accounts may make keys for them
        return Scope.ADMIN


router = APIRouter(
    prefix="/v1/accounts", tags=["accounts"], route_class=_AccountsRoute, dependencies=[Depends(operators_only)]
)
_UNKNOWN = (404, "account_unknown")
_READ = (UNREADABLE, (413, "body_too_large"))
_LARGEST = 2**53  #: that every client's numbers hold exactly


def _printable(name: str) -> str:
    if not name.strip() or not name.isprintable() or "/" in name:
        raise ValueError("a name has 1 to 64 printable characters, and no slash")
    return name


Name = Annotated[str, Path(min_length=1, max_length=64, description="The account's name.", examples=["acme"])]
Bytes = Annotated[int | None, Field(ge=0, le=_LARGEST)]
Weight = Annotated[float, Field(ge=0.001, le=1000, description="Its part of a busy farm, next to others.")]


class Limits(BaseModel):
    """What an account may use; null: no limit. It holds within five seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    max_bytes: Bytes = Field(default=None, description="Of originals and results on the share.")
    max_upload_bytes: Bytes = Field(default=None, description="Of one upload.")
    max_daily_minutes: Annotated[float | None, Field(ge=0, le=1e9)] = Field(
        default=None, description="Of source, in jobs of 24 hours."
    )
    max_running: Annotated[int | None, Field(ge=0, le=1_000_000)] = Field(
        default=None, description="Tasks at the same time on the whole farm; 0 lets it wait."
    )


class AccountCreate(Limits):
    """A new account."""

    name: Annotated[str, AfterValidator(_printable)] = Field(min_length=1, max_length=64, examples=["acme"])
    weight: Weight = 1.0
    operator: bool = Field(default=False, description="It may see and steer what belongs to the farm.")


class AccountChange(Limits):
    """What shall be otherwise. What is not named stays."""

    weight: Weight | None = None
    operator: bool | None = None


class UsageOut(BaseModel):
    original_bytes: int
    result_bytes: int
    minutes_today: float


class AccountOut(Limits):
    name: str
    weight: float
    operator: bool
    created_at: datetime
    usage: UsageOut | None = Field(default=None, description="Counted where one account is asked for; null in lists.")


class AccountsOut(BaseModel):
    accounts: list[AccountOut]
    next: str | None = Field(description="Give it as `after` for the following page; null on the last one.")


class NewAccountOut(BaseModel):
    """An account with what is shown this once."""

    account: AccountOut
    key: str = Field(description="Its first key, of scope admin; the farm keeps only its hash.")
    webhook_secret: str = Field(description="With which callbacks of its jobs are signed.")


@router.get("", operation_id="list_accounts", summary="List accounts", responses=documented(*FOR_OPERATORS))
def list_accounts(
    api: TheApi,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: Annotated[str, Query(max_length=64, description="`next` of the page before.")] = "",
) -> AccountsOut:
    """Every account, by name."""
    found = tenants(api.database, limit=limit + 1, after=after)
    shown = found[:limit]
    return AccountsOut(accounts=[_shown(one) for one in shown], next=shown[-1].name if len(found) > limit else None)


@router.post(
    "",
    operation_id="create_account",
    summary="Make an account",
    status_code=201,
    responses=documented(*FOR_OPERATORS, *_READ, (409, "account_exists")),
)
def make_account(wanted: AccountCreate, api: TheApi, response: Response) -> NewAccountOut:
    """Make an account with its first key."""
    quotas = Quotas(**wanted.model_dump(include=set(Limits.model_fields)))
    made, key = create_account(api.database, wanted.name, weight=wanted.weight, operator=wanted.operator, quotas=quotas)
    response.headers["Location"] = f"/v1/accounts/{quote(wanted.name, safe='')}"
    return NewAccountOut(account=_one(api, wanted.name), key=str(key), webhook_secret=made.webhook_secret)


@router.get(
    "/{name}", operation_id="get_account", summary="Get an account", responses=documented(*FOR_OPERATORS, _UNKNOWN)
)
def get_account(name: Name, api: TheApi) -> AccountOut:
    """One account with its limits and what it uses of them."""
    return _one(api, name)


@router.patch(
    "/{name}",
    operation_id="change_account",
    summary="Change an account",
    responses=documented(*FOR_OPERATORS, *_READ, _UNKNOWN, (409, "last_operator")),
)
def change_account(name: Name, wanted: AccountChange, api: TheApi) -> AccountOut:
    """Change weight, limits, or whether it is an operator."""
    given = wanted.model_dump(exclude_unset=True)
    change_tenant(api.database, name, {what: value for what, value in given.items() if not _kept(what, value)})
    return _one(api, name)


@router.post(
    "/{name}/keys",
    operation_id="create_account_key",
    summary="Make a key for an account",
    status_code=201,
    responses=documented(*FOR_OPERATORS, *_READ, _UNKNOWN, (409, "keys_too_many")),
)
def make_account_key(name: Name, wanted: KeyCreate, api: TheApi) -> NewKeyOut:
    """Make a key for an account that has lost its own."""
    owner, _ = tenant(api.database, name)
    key = create_key(api.database, owner.id, name=wanted.name, scope=wanted.scope, expires_at=wanted.expires_at)
    return NewKeyOut(id=key.id, key=str(key))


def _kept(what: str, value: object) -> bool:
    """Whether null means that something stays as it is; of a limit it means that there is none."""
    return value is None and what in ("weight", "operator")


def _one(api: Api, name: str) -> AccountOut:
    return _shown(*tenant(api.database, name))


def _shown(one: Tenant, usage: Usage | None = None) -> AccountOut:
    used = None
    if usage is not None:
        used = UsageOut(
            original_bytes=usage.original_bytes, result_bytes=usage.result_bytes, minutes_today=usage.minutes_today
        )
    return AccountOut(
        name=one.name,
        weight=one.weight,
        operator=one.operator,
        created_at=one.created_at,
        usage=used,
        max_bytes=one.quotas.max_bytes,
        max_upload_bytes=one.quotas.max_upload_bytes,
        max_daily_minutes=one.quotas.max_daily_minutes,
        max_running=one.quotas.max_running,
    )
