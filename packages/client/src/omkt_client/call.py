"""A request described as a value, and what its answer means: the part that sync and async clients share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import TypeAdapter, ValidationError

from omkt_client.errors import FieldFault, Misunderstood, Problem
from omkt_client.models import Upload

T = TypeVar("T")
#: What a proxy says while the farm behind it starts again.
GATEWAY_TROUBLE = (502, 503, 504)
#: Between two tries.
PAUSE_SECONDS = 0.5
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
#: A farm says something on a stream of events at least every few seconds; silence means a dead connection.
STREAM_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
#: A farm checks and stores what it got before it answers: that takes a while for a large file.
UPLOAD_TIMEOUT = httpx.Timeout(600.0, connect=5.0)
BLOCK = 1 << 20
_UPLOAD = TypeAdapter(Upload)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T]):
    """One request, and how its answer is read. It may be sent again when its answer got lost."""

    method: str
    path: str
    answer: TypeAdapter[T]
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def request(self) -> dict[str, Any]:
        """The arguments of httpx's `request`."""
        known = {name: value for name, value in self.params.items() if value is not None}
        body = {} if self.body is None else {"json": self.body}
        return {"method": self.method, "url": self.path, "params": known, "headers": dict(self.headers), **body}

    def read(self, response: httpx.Response) -> T:
        """What the farm answered. Raises Problem when it refused, Misunderstood when nothing of this is a farm's answer."""
        body = body_of(response)
        if response.is_success:
            try:
                return self.answer.validate_python(body)
            except ValidationError as error:
                raise Misunderstood("The server's answer is not that of an OpenMediaKit farm.") from error
        raise refusal(response, body)


def upload(name: str, content: Any) -> tuple[Call[Upload], dict[str, Any]]:
    """The call that sends a file in one request, and the arguments of httpx's `request` for it."""
    named = name.encode(errors="replace").decode()
    call = Call(method="POST", path=path("uploads"), answer=_UPLOAD, params={"name": named})
    headers = {"Content-Type": "application/octet-stream"}
    return call, {**call.request(), "headers": headers, "content": content, "timeout": UPLOAD_TIMEOUT}


NOTHING: TypeAdapter[None] = TypeAdapter(None)


def body_of(response: httpx.Response) -> Any:
    """The JSON of an answer; None when it has none."""
    try:
        return response.json()
    except ValueError:
        return None


def refusal(response: httpx.Response, body: Any) -> Problem | Misunderstood:
    """What an answer that is no success means."""
    if not isinstance(body, dict) or "code" not in body:
        said = f"{response.status_code} {response.reason_phrase}"
        return Misunderstood(f"The server answered {said}, but not as an OpenMediaKit farm does.")
    wait = response.headers.get("Retry-After", "")
    return Problem(
        str(body.get("detail") or body.get("title")),
        status=response.status_code,
        code=str(body["code"]),
        faults=[FieldFault(field=str(one["field"]), message=str(one["message"])) for one in body.get("errors") or ()],
        retry_after=float(wait) if wait.isdigit() else None,
    )


def address(server: str) -> tuple[str, bool]:
    """The address of a farm without its last slash, and whether a proxy may stand before it.

    Raises ValueError when it is none.
    """
    parts = urlsplit(server)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{server} is not the address of a server, such as http://farm.example:8080.")
    return server.rstrip("/"), parts.hostname not in _LOOPBACK


def path(*parts: str) -> str:
    """A path of the API: names of ids are quoted."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)
