"""What routes are given: the farm they serve, who asks, and how to render for them."""

import hashlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.types import Message

from omkt_api.feed import Feed
from omkt_api.guard import OutsidePolicy
from omkt_api.links import Links
from omkt_api.rates import Buckets
from omkt_api.resumable import Receiver
from omkt_api.trail import leave_trail
from omkt_api.views import Renderer
from omkt_api.watching import Watch
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.account import Account, Scope
from omkt_pipeline.domain.errors import Refused, TooLarge
from omkt_pipeline.queue.accounts import authenticate
from omkt_pipeline.queue.presets import KnownPresets
from omkt_pipeline.storage.share import Share

#: A revoked key works at most so long.
KEY_TRUSTED_SECONDS = 5.0
_KEYS_KEPT = 1000
#: Threads that wait for the share. They are apart from those of the routes, which a share that hangs must not use up.
_SHARE_THREADS = 16


class KnownKeys:
    """Keys that were good a moment ago, by their hashes, so that not every request asks the database."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[bytes, tuple[Account, float]] = {}

    def get(self, key: str) -> Account | None:
        account, until = self._known.get(_digest(key), (None, 0.0))
        return account if self._clock() < until else None

    def remember(self, key: str, account: Account) -> None:
        if len(self._known) >= _KEYS_KEPT:
            self._known.clear()
        self._known[_digest(key)] = (account, self._clock() + KEY_TRUSTED_SECONDS)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="replace")).digest()


@dataclass(frozen=True, kw_only=True)
class Api:
    """Everything the routes stand on. Built once, in `create_app`."""

    database: Database
    share: Share
    links: Links
    presets: KnownPresets
    policy: OutsidePolicy
    keys: KnownKeys
    requests: Buckets  #: of accounts
    wrong_keys: Buckets  #: of addresses
    share_threads: CapacityLimiter
    public_url: str | None
    accel_prefix: str | None
    max_json_bytes: int
    max_upload_bytes: int

    @cached_property
    def feed(self) -> Feed:
        """What happens to all accounts' jobs; one for the process."""
        return Feed(self.database)

    @cached_property
    def watch(self) -> Watch:
        """Who watches which job; one for the process."""
        return Watch(self.database)

    @cached_property
    def receiver(self) -> Receiver:
        """What receives resumable uploads; one for the process, since it remembers hashes."""
        return Receiver(self.database, self.share, self.on_share)

    async def on_share(self, work: Callable[[], Any]) -> Any:
        """Do blocking work on the share in a thread of its own kind."""
        return await to_thread.run_sync(work, limiter=self.share_threads)


def share_threads() -> CapacityLimiter:
    return CapacityLimiter(_SHARE_THREADS)


def api_of(request: Request) -> Api:
    api = request.app.state.api
    assert isinstance(api, Api)  # noqa: S101 - set by create_app
    return api


async def account_of(request: Request) -> Account:
    """Who asks. Raises Refused (key_missing, key_invalid)."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Refused("Send your API key: `Authorization: Bearer omkt_…`.", code="key_missing")
    key = key.strip()
    api = api_of(request)
    known = api.keys.get(key)
    if known is None:
        known = await to_thread.run_sync(authenticate, api.database, key)
        api.keys.remember(key, known)
    return known


class KeyedRoute(APIRoute):
    """A route for clients with a key. Who asks is settled before a byte of the body is read; the body is bounded."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def with_key(request: Request) -> Response:
            api = api_of(request)
            address = request.client.host if request.client else ""
            api.wrong_keys.check(address)
            try:
                request.state.account = account = await account_of(request)
            except Refused:
                api.wrong_keys.take(address)
                raise
            standing = api.requests.take(account.id)
            needed = self.needs(request.method)
            if not account.scope.covers(needed):
                raise Refused(
                    f"This key may not do that: it has the scope {account.scope}, not {needed}.", code="scope_missing"
                )
            response = await answer(_bounded(request, self.limit(api)))
            await leave_trail(api.database, request, response, operation=self.operation_id or self.name, caller=account)
            response.headers.update(standing.headers() if standing else {})
            return response

        return with_key

    def needs(self, method: str) -> Scope:
        """What a key must be allowed to do for a request of this method."""
        return Scope.READ if method in ("GET", "HEAD", "OPTIONS") else Scope.WRITE

    def limit(self, api: Api) -> int:
        """The largest body, in bytes."""
        return api.max_json_bytes


def _bounded(request: Request, limit: int) -> Request:
    """The same request, whose body ends in an error beyond the limit, announced or not."""
    seen = 0
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise TooLarge(f"The body may have at most {limit} bytes.", code="body_too_large")

    async def receive() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            # The framework lets only this kind of error through while it reads a body.
            raise HTTPException(413, f"The body may have at most {limit} bytes.")
        return message

    return Request(request.scope, receive)


_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="An API key of this farm, `omkt_…`. The operator makes one with `omkt accounts`.",
)


async def _caller(request: Request, _: Annotated[object, Security(_bearer)]) -> Account:
    """The account that KeyedRoute found; the second parameter puts the scheme into OpenAPI."""
    account = request.state.account
    assert isinstance(account, Account)  # noqa: S101 - set by KeyedRoute
    return account


async def _api(request: Request) -> Api:
    return api_of(request)


async def _renderer(request: Request) -> Renderer:
    api = api_of(request)
    return Renderer(links=api.links, base=(api.public_url or str(request.base_url)).rstrip("/"))


#: For routers whose routes need a key but not to know whose it is.
SHOWN_AS_KEYED = Security(_bearer)
TheApi = Annotated[Api, Depends(_api)]
Caller = Annotated[Account, Depends(_caller)]
Render = Annotated[Renderer, Depends(_renderer)]
