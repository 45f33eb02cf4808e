"""What every request gets, whatever happens inside: an id, one log line, a measurement, safe headers, an answer."""

import time
from dataclasses import dataclass, field

import structlog
from prometheus_client import CollectorRegistry, Histogram
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from omkt_api.problems import problem
from omkt_pipeline.domain.keys import new_key

log = structlog.get_logger(__name__)

#: Set unless the response says otherwise.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
#: Asked every few seconds by machines; a line for each would bury the others.
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
#: Nobody reads it: the client was gone.
_CLIENT_GONE = 499


@dataclass
class _Exchange:
    """One request and what has become of it."""

    id: str = field(default_factory=new_key)
    status: int = 0  #: 0 until the response has begun
    began: float = field(default_factory=time.monotonic)


class Envelope:
    """The outermost layer of the app."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._seconds = Histogram(
            "omkt_http_request_seconds",
            "HTTP requests by method, route and status; streams until their end",
            ("method", "route", "status"),
            buckets=(0.005, 0.02, 0.1, 0.25, 1, 5, 30, 300),
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange()
        # A client's own id is not taken over: it could forge another's lines in the log.
        scope.setdefault("state", {})["id"] = exchange.id

        async def send_wrapped(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                _complete(MutableHeaders(scope=message), exchange.id)
            await send(message)

        try:
            await self._app(scope, receive, send_wrapped)
        except ClientDisconnect:
            exchange.status = exchange.status or _CLIENT_GONE
        except Exception:
            log.exception("request failed", event_code="request_failed", request=exchange.id)
            if not exchange.status:
                detail = f"This is a fault of the farm's. Its log has the details under {exchange.id}."
                await problem(exchange.id, 500, "internal", detail)(scope, receive, send_wrapped)
        finally:
            self._report(scope, exchange)

    def _report(self, scope: Scope, exchange: _Exchange) -> None:
        seconds = time.monotonic() - exchange.began
        route = _route(scope)
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "OPTIONS") else "other"
        self._seconds.labels(method, route, exchange.status).observe(seconds)
        account = scope["state"].get("account")
        (log.debug if scope["path"] in _QUIET else log.info)(
            "request answered",
            event_code="request",
            request=exchange.id,
            method=method,
            route=route,
            status=exchange.status,
            ms=round(seconds * 1000, 1),
            account=account.name if account else None,
        )


def _route(scope: Scope) -> str:
    """The path as it was declared, so that ids and links are in neither logs nor metrics."""
    declared = getattr(scope.get("route"), "path", None)
    return declared or ("/static" if scope["path"].startswith("/static/") else "unknown")


def _complete(headers: MutableHeaders, request_id: str) -> None:
    headers["X-Request-Id"] = request_id
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
