"""HTTP to servers that clients named: the only way in which this project talks to the outside."""

import email.utils
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpcore
import httpx

from omkt_api.connecting import CheckedBackend, Resolver, Unanswered, Watch, resolve
from omkt_api.guard import OutsidePolicy, Target, check_url
from omkt_pipeline.domain.errors import FetchError

MAX_REDIRECTS = 3
CONNECT_SECONDS = 10.0
IDLE_SECONDS = 30.0

_USER_AGENT = "OpenMediaKit-Transcoder"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
_SECOND_TRY_HELPS = frozenset({408, 425, 429})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A response whose body has not been read yet."""

    target: Target  #: who answered, after redirects
    status: int
    headers: Mapping[str, str]  #: names in lower case
    blocks: Iterator[bytes]  #: the body as it was sent, transfer coding removed. Raises Unanswered, FetchError, Stopped


class Outside:
    """A client for HTTP and HTTPS that keeps to a policy. Thread-safe; every exchange has its own connection."""

    def __init__(
        self,
        policy: OutsidePolicy,
        *,
        resolver: Resolver = resolve,
        wire: httpcore.NetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.policy = policy
        self._resolver = resolver
        self._wire = wire or httpcore.SyncBackend()
        self._tls = tls or httpcore.default_ssl_context()

    @contextmanager
    def get(
        self,
        url: str,
        *,
        watch: Watch,
        headers: Mapping[str, str] | None = None,
        idle_seconds: float = IDLE_SECONDS,
        redirects: int = MAX_REDIRECTS,
    ) -> Iterator[Answer]:
        """Yield the answer to a GET after at most so many redirects, each checked like the first URL; with 0 any answer.

        Raises FetchError when this URL is not to be fetched, Unanswered when the network failed,
        Stopped and FetchError (source_too_slow) as the watch says.
        """
        target = check_url(url, self.policy)
        headers = dict(headers or {})
        for _ in range(redirects + 1):
            with self._exchange("GET", target, headers, None, watch, idle_seconds) as answer:
                if not redirects or answer.status not in _REDIRECTS or "location" not in answer.headers:
                    yield answer
                    return
                following = self._redirect(target, answer.headers["location"])
            if following.origin != target.origin:
                headers = {name: value for name, value in headers.items() if name.lower() not in _CREDENTIALS}
            target = following
        raise FetchError(f"The server redirected more than {redirects} times.", code="source_redirects")

    @contextmanager
    def post(
        self, url: str, body: bytes, *, watch: Watch, headers: Mapping[str, str], idle_seconds: float = IDLE_SECONDS
    ) -> Iterator[Answer]:
        """Yield the answer to a POST. Redirects are not followed. Raises as `get` does."""
        target = check_url(url, self.policy)
        with self._exchange("POST", target, headers, body, watch, idle_seconds) as answer:
            yield answer

    def _redirect(self, target: Target, location: str) -> Target:
        try:
            url = str(httpx.URL(target.url).join(location.strip().replace(" ", "%20")))
        except (httpx.InvalidURL, ValueError):
            raise FetchError(
                "The server redirected to a URL that cannot be understood.", code="source_redirects"
            ) from None
        following = check_url(url, self.policy)
        if target.scheme == "https" and following.scheme == "http":
            raise FetchError("The server redirected from https to http.", code="source_redirects")
        return following

    @contextmanager
    def _exchange(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        body: bytes | None,
        watch: Watch,
        idle_seconds: float,
    ) -> Iterator[Answer]:
        backend = CheckedBackend(policy=self.policy, resolver=self._resolver, wire=self._wire, watch=watch)
        fixed = {"Host": target.authority, "User-Agent": _USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
        timeouts = {"connect": CONNECT_SECONDS, "read": idle_seconds, "write": idle_seconds, "pool": CONNECT_SECONDS}
        with httpcore.ConnectionPool(
            ssl_context=self._tls, network_backend=backend, max_keepalive_connections=0
        ) as pool:
            request = httpcore.Request(
                method,
                httpcore.URL(
                    scheme=target.scheme.encode(),
                    host=target.host.encode(),
                    port=target.port,
                    target=target.path.encode(),
                ),
                headers=[
                    (name.encode(), value.encode())
                    for name, value in (fixed | dict(headers) | ({} if body is None else _length(body))).items()
                ],
                content=body,
                extensions={"timeout": timeouts},
            )
            with _in_our_words():
                response = pool.handle_request(request)
            with closing(response):
                yield Answer(
                    target=target, status=response.status, headers=_headers(response.headers), blocks=_blocks(response)
                )


def demand_success(answer: Answer, *, accepted: Iterable[int] = (200, 203)) -> None:
    """Raise FetchError or, where a second try helps, Unanswered, unless the status is one of the accepted."""
    status = answer.status
    if status in accepted:
        return
    code = f"source_http_{status}"
    if status >= 500 or status in _SECOND_TRY_HELPS:
        raise Unanswered(f"The server answered {status}: it cannot serve the file now.", code=code)
    if status in (401, 403):
        raise FetchError(f"The server refuses access to the file ({status}).", code=code)
    if status in (404, 410):
        raise FetchError(f"The server does not have the file ({status}).", code=code)
    raise FetchError(f"The server answered {status} instead of sending the file.", code=code)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the server asks to be left alone, never negative; None when it does not say."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        then = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    return max(0.0, ((then if then.tzinfo else then.replace(tzinfo=UTC)) - now).total_seconds())


def _blocks(response: httpcore.Response) -> Iterator[bytes]:
    with _in_our_words():
        yield from response.iter_stream()


def _length(body: bytes) -> dict[str, str]:
    return {"Content-Length": str(len(body))}


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header fields by lower-case name; what was sent twice is joined, as HTTP has it."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("ascii", "replace").lower(), _text(raw_value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _text(value: bytes) -> str:
    """Servers send names in UTF-8 though the standard says otherwise."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Turn what the HTTP library raises into errors of ours."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise Unanswered("The server did not answer in time.", code="source_timeout") from error
    except httpcore.ConnectError as error:
        raise Unanswered("The server cannot be reached.", code="source_unreachable") from error
    except httpcore.LocalProtocolError as error:
        raise FetchError("The URL cannot be sent to a server.", code="source_url_invalid") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise Unanswered("The server broke the connection off.", code="source_interrupted") from error
