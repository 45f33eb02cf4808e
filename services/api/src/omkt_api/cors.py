"""CORS: pages of the origins that the operator names may read files by signed link. Nothing else is ever open to them."""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_FILES = "/v1/files/"
#: What players send, and what they must read to seek.
_REQUEST_HEADERS = ("Range", "If-Range", "If-None-Match")
_RESPONSE_HEADERS = ("Accept-Ranges", "Content-Length", "Content-Range", "ETag")
_PREFLIGHT_SECONDS = 86400


class FilesCors:
    """Answers for the files' routes what browsers ask; credentials are never allowed, the link is the permission."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._plain = app
        self._open = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=("GET", "HEAD"),
            allow_headers=_REQUEST_HEADERS,
            expose_headers=_RESPONSE_HEADERS,
            max_age=_PREFLIGHT_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_file = scope["type"] == "http" and scope["path"].startswith(_FILES)
        await (self._open if is_file else self._plain)(scope, receive, send)
