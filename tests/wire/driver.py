"""A client's life, driven from outside: its requests to the transcoder, and what its site saw."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.wire import lists, wording
from tests.wire.site import Fault, app_key

PATIENCE_SECONDS = 120.0
ALWAYS_SENT = {"application": "omkt-acceptance", "version": "0.1"}


def until(look: Callable[[], Any], what: str, *, seconds: float = PATIENCE_SECONDS) -> Any:
    """The first truthy answer. Fails the test when none comes in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")


@dataclass(frozen=True)
class Site:
    """The clients' site: as the test reaches it, and as the transcoder does."""

    here: str
    there: str

    def calls(self, client: str, subject: str, **parameters: object) -> list[dict[str, Any]]:
        """Calls that a client had, in order, whose parameters were these."""
        seen: list[dict[str, Any]] = httpx.get(f"{self.here}/control/calls", timeout=10, trust_env=False).json()
        wanted = {name: str(value) for name, value in parameters.items()}
        return [
            call
            for call in seen
            if (call["client"], call["subject"]) == (client, subject) and wanted.items() <= call["parameters"].items()
        ]

    def go_wrong(self, subject: str, *faults: str) -> None:
        """The next calls of a subject go wrong like this, one fault each; FOREVER at the end keeps the last."""
        answer = httpx.put(f"{self.here}/control/faults", json={subject: faults}, timeout=10, trust_env=False)
        assert answer.status_code == 204, answer.text

    def film(self, client: str, name: str) -> str:
        return f"{self.there}/{client}/media/{name}"

    def api(self, client: str) -> str:
        return f"{self.there}/{client}/api"


def effective(call: dict[str, Any]) -> bool:
    """Whether the transcoder must have understood the answer as a yes."""
    return call["known_key"] and call["fault"] in (None, Fault.SLOW, Fault.NO_RANGE)


@dataclass
class Client:
    """One client of the transcoder. `url` is the transcoder's API root, without a slash at its end.

    `source` is the address of this machine that it calls from: limits are by address, and clients are not neighbours.
    """

    url: str
    name: str
    site: Site
    key: str = ""
    source: str | None = None

    def ask(self, action: str, **parameters: object) -> httpx.Response:
        """What the original client does: GET, all in the query."""
        return self.send(action, httpx.QueryParams({name: str(value) for name, value in parameters.items()}))

    def send(self, action: str, query: httpx.QueryParams | str, **headers: str) -> httpx.Response:
        always = httpx.QueryParams({"action": action, **ALWAYS_SENT, "transcoder_key": self.key})
        more = f"&{query}" if str(query) else ""
        return self.http(f"{self.url}?{always}{more}", headers=headers)

    def http(self, url: str, *, method: str = "GET", **request: Any) -> httpx.Response:
        with httpx.Client(transport=httpx.HTTPTransport(local_address=self.source), timeout=60) as http:
            return http.request(method, url, **request)

    def subscribe(self, *, email: str) -> dict[str, Any]:
        """Become a client. Returns the answer, keys as the original's client takes them."""
        asked = {"email": email, "url": self.site.api(self.name), "app_key": app_key(self.name), **ALWAYS_SENT}
        answer = self.http(self.url, params={"action": "app_subscribe", **asked})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        self.key = told["apikey"]
        return told

    def new_media(self, media: int, film: str, **more: object) -> httpx.Response:
        url = self.site.film(self.name, film)
        return self.ask("app_new_media", **{"adapter": "http", "url": url, "id": media} | more)

    def request_formats(self, media: int, settings: list[int], spelling: str = "name[0]=") -> httpx.Response:
        written = lists.SPELLINGS[spelling]("settings_id_list", settings)
        return self.send("app_request_format", f"id={media}&{written}")

    def piece(self, media: int, setting: int, content_range: str | None) -> httpx.Response:
        asked: dict[str, object] = {"id": media, "settings_id": setting, "serial": 1, "adapter": "http"}
        if content_range is not None:
            asked["content_range"] = content_range
        return self.ask("app_get_media", **asked)

    def pull(self, media: int, setting: int, size: int, *, piece_bytes: int = wording.PIECE_BYTES) -> bytes:
        """A whole result by pieces, as the original client asks for them: END exclusive, the last one open."""
        have = b""
        while len(have) < size:
            end = len(have) + piece_bytes
            answer = self.piece(media, setting, f"{len(have)}-{end}" if end < size else f"{len(have)}-")
            assert answer.status_code == 200, f"{answer.status_code} {answer.text[:200]}"
            assert len(answer.content) == min(piece_bytes, size - len(have))
            assert int(answer.headers["content-length"]) == len(answer.content)
            have += answer.content
        return have

    def told(self, action: str, media: int, **parameters: object) -> dict[str, Any]:
        """Wait for a call that this client answered with a yes, and return its parameters."""

        def heard() -> list[dict[str, Any]]:
            return [one for one in self.site.calls(self.name, action, id=media, **parameters) if effective(one)]

        found: dict[str, Any] = until(heard, f"{action} of media {media} {parameters}")[0]["parameters"]
        return found


def code(answer: httpx.Response) -> int:
    """The code of a wrapped answer."""
    body = answer.json()
    assert list(body) == ["result"], body
    assert set(body["result"]) == {"code", "message"}, body
    found: int = body["result"]["code"]
    return found
