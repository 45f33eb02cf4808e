"""/v1/keys: the keys of an account, for those of its keys that may."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from omkt_api.deps import Caller, KeyedRoute, TheApi
from omkt_api.problems import documented
from omkt_api.routes.jobs import KEYED, UNREADABLE
from omkt_api.schemas import Moment
from omkt_pipeline.domain.account import Scope
from omkt_pipeline.queue.api_keys import KeyView, create_key, keys_of, revoke_own_key


class _KeysRoute(KeyedRoute):
    def needs(self, method: str) -> Scope:  # noqa: ARG002 - whoever sees keys may make them
        return Scope.ADMIN


router = APIRouter(prefix="/v1/keys", tags=["keys"], route_class=_KeysRoute)


class KeyCreate(BaseModel):
    """What a new key shall be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=64, description="What it is for.", examples=["shop, production"])
    scope: Scope = Field(
        default=Scope.WRITE, description="`read`; `write`, which includes it; or `admin`, which includes both."
    )
    expires_at: Moment | None = Field(default=None, description="It is good until then; by default until revoked.")


class KeyOut(BaseModel):
    """A key without its secret."""

    id: str = Field(description="The part after `omkt_`.")
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None = Field(description="When it was used last, to the minute.")
    revoked_at: datetime | None


class NewKeyOut(BaseModel):
    """A key in clear."""

    id: str
    key: str = Field(description="Shown this once; the farm keeps only its hash.")


class KeysOut(BaseModel):
    keys: list[KeyOut]


@router.get("", operation_id="list_keys", summary="List keys", responses=documented(*KEYED))
def list_keys(api: TheApi, caller: Caller) -> KeysOut:
    """Every key of your account, newest first."""
    return KeysOut(keys=[_shown(view) for view in keys_of(api.database, caller.id)])


@router.post(
    "",
    operation_id="create_key",
    summary="Make a key",
    status_code=201,
    responses=documented(*KEYED, UNREADABLE, (409, "keys_too_many"), (413, "body_too_large")),
)
def make_key(wanted: KeyCreate, api: TheApi, caller: Caller) -> NewKeyOut:
    """Make another key for your account."""
    key = create_key(api.database, caller.id, name=wanted.name, scope=wanted.scope, expires_at=wanted.expires_at)
    return NewKeyOut(id=key.id, key=str(key))


@router.delete(
    "/{key}",
    operation_id="revoke_key",
    summary="Revoke a key",
    status_code=204,
    responses=documented(*KEYED, (404, "key_unknown")),
)
def revoke(
    key: Annotated[str, Path(max_length=16, description="The key's id.")], api: TheApi, caller: Caller
) -> Response:
    """Make a key useless, everywhere within seconds. Revoking it again is no error."""
    revoke_own_key(api.database, caller.id, key)
    return Response(status_code=204)


def _shown(view: KeyView) -> KeyOut:
    return KeyOut(
        id=view.id,
        name=view.name,
        scope=view.scope,
        created_at=view.created_at,
        expires_at=view.expires_at,
        used_at=view.used_at,
        revoked_at=view.revoked_at,
    )
