"""A client of the HTTP API, as small as the command line needs it."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx

from omkt_cli.events import events
from omkt_cli.faults import Exit, Fault
from omkt_cli.views import File, Job, understood

_BLOCK = 1 << 20
#: A farm that answered before may restart under us: it gets this long to come back.
PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.5
#: The server says something on a stream of events at least every few seconds; silence means a dead connection.
_SILENCE_SECONDS = 60.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NO_CONTENT = 204
_GATEWAY_TROUBLE = (502, 503, 504)


class FarmClient:
    """Speaks to one farm with one key. Every method raises Fault, with the server's own sentence where there is one.

    A `patient` client waits for a farm that does not answer; others do so only once it has answered them.
    """

    def __init__(
        self, server: str, key: str | None, *, patient: bool = False, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._server = server.rstrip("/")
        parts = urlsplit(self._server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Fault(f"{server} is not the address of a server, such as http://farm.example:8080.", Exit.USAGE)
        self._met = patient
        self._http = httpx.Client(
            base_url=self._server,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(30.0, connect=5.0),
            # A proxy is of no use on the way to this machine.
            trust_env=parts.hostname not in _LOOPBACK,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def is_ready(self) -> bool:
        """Whether the farm takes jobs now."""
        try:
            return self._http.get("/readyz", timeout=2.0).status_code == 200
        except httpx.TransportError:
            return False

    def presets(self) -> list[Mapping[str, Any]]:
        """The presets of this farm."""
        return understood(lambda answer: list(answer["presets"]), self._ask("GET", "/v1/presets"))

    def put_preset(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add a preset, given as its YAML file has it, or change it; what the farm made of it."""
        outer = {name: said[name] for name in ("extends", "kind", "title") if name in said}
        settings = {name: value for name, value in said.items() if name not in (*outer, "id", "version")}
        path = f"/v1/presets/{quote(str(said['id']), safe='')}"
        return understood(dict, self._ask("PUT", path, json={**outer, "settings": settings}))

    def remove_preset(self, name: str) -> None:
        """Remove a preset of the farm's own."""
        self._ask("DELETE", f"/v1/presets/{quote(name, safe='')}")

    def upload(self, path: Path, *, on_bytes: Callable[[int], None]) -> str:
        """Send a file and return its id, by which a job can name it. `on_bytes` hears how much was sent."""

        def blocks() -> Iterator[bytes]:
            sent = 0
            with path.open("rb") as stream:
                while block := stream.read(_BLOCK):
                    yield block
                    sent += len(block)
                    on_bytes(sent)

        try:
            # The server checks and stores what it got before it answers: that takes a while for a large file.
            response = self._http.post(
                "/v1/uploads",
                params={"name": path.name.encode(errors="replace").decode()},
                content=blocks(),
                headers={"Content-Type": "application/octet-stream"},
                timeout=httpx.Timeout(600.0, connect=5.0),
            )
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        except OSError as error:
            raise Fault(f"{path} cannot be read: {error.strerror or error}.", Exit.USAGE) from error
        return understood(lambda answer: str(answer["id"]), _checked(response))

    def submit(
        self,
        source: Mapping[str, str],
        presets: Sequence[Any],
        *,
        priority: str = "normal",
        callback: str | None = None,
    ) -> Job:
        """Ask for outputs."""
        body = {
            "source": source,
            "presets": list(presets),
            "priority": priority,
            "callback": {"url": callback} if callback else None,
        }
        # The key makes it safe to ask again when the answer got lost.
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return understood(Job.of, self._ask("POST", "/v1/jobs", json=body, headers=headers))

    def job(self, job_id: str) -> Job:
        """One job."""
        return understood(Job.of, self._ask("GET", f"/v1/jobs/{quote(job_id, safe='')}"))

    def jobs(self, *, limit: int, state: str | None = None) -> list[Job]:
        """The newest jobs, over as many pages as it takes."""
        found: list[Job] = []
        cursor: str | None = None
        while len(found) < limit:
            asked = {"limit": min(100, limit - len(found)), "state": state, "cursor": cursor}
            page = self._ask("GET", "/v1/jobs", params={name: value for name, value in asked.items() if value})
            found += understood(lambda answer: [Job.of(job) for job in answer["jobs"]], page)
            cursor = page.get("next")
            if not cursor:
                break
        return found

    def cancel(self, job_id: str) -> Job:
        """Stop a job."""
        return understood(Job.of, self._ask("POST", f"/v1/jobs/{quote(job_id, safe='')}/cancel"))

    def retry(self, job_id: str) -> Job:
        """Try a failed or cancelled job again."""
        return understood(Job.of, self._ask("POST", f"/v1/jobs/{quote(job_id, safe='')}/retry"))

    def watch(self, job_id: str) -> Iterator[Job]:
        """Yield the job at each change until it is final. Connects again by itself when the connection breaks."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                for job in self._listen(job_id):
                    deadline = time.monotonic() + PATIENCE_SECONDS
                    yield job
                    if job.is_final:
                        return
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    raise self._unreachable(error) from error
            time.sleep(_PAUSE_SECONDS)

    def _listen(self, job_id: str) -> Iterator[Job]:
        path = f"/v1/jobs/{quote(job_id, safe='')}/events"
        timeout = httpx.Timeout(_SILENCE_SECONDS, connect=5.0)
        with self._http.stream("GET", path, headers={"Accept": "text/event-stream"}, timeout=timeout) as response:
            if response.status_code in _GATEWAY_TROUBLE:
                raise httpx.RemoteProtocolError("the server is not ready")
            if response.status_code != 200:
                response.read()
                _checked(response)
            for event in events(response.iter_lines()):
                if event.kind == "job":
                    yield understood(lambda text: Job.of(json.loads(text)), event.data)

    def files(self, job_id: str, output_id: str) -> list[File]:
        """The files of an output."""
        path = f"/v1/jobs/{quote(job_id, safe='')}/outputs/{quote(output_id, safe='')}"
        return understood(lambda answer: [File.of(file) for file in answer["files"]], self._ask("GET", path))

    def content(self, job_id: str, output_id: str, path: str) -> Iterator[bytes]:
        """The bytes of a file. Raises httpx.TransportError when the connection breaks on the way."""
        url = f"/v1/jobs/{quote(job_id, safe='')}/outputs/{quote(output_id, safe='')}/files/{quote(path)}"
        with self._http.stream("GET", url) as response:
            if response.status_code != 200:
                response.read()
                _checked(response)
            yield from response.iter_bytes(_BLOCK)

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        """Ask, again while a farm that answered before does not."""
        deadline = time.monotonic() + (PATIENCE_SECONDS if self._met else 0.0)
        while True:
            try:
                response = self._http.request(method, path, **options)
                if response.status_code not in _GATEWAY_TROUBLE or time.monotonic() > deadline:
                    self._met = True
                    return _checked(response)
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    raise self._unreachable(error) from error
            time.sleep(_PAUSE_SECONDS)

    def _unreachable(self, error: httpx.TransportError) -> Fault:
        return Fault(f"{self._server} does not answer: {str(error) or type(error).__name__}.", Exit.UNREACHABLE)


def _checked(response: httpx.Response) -> Any:
    """The body of a good answer. Raises Fault with the problem's own words for any other."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if response.is_success and (body is not None or response.status_code == _NO_CONTENT):
        return body
    if isinstance(body, dict) and "code" in body:
        words, code = str(body.get("detail") or body.get("title")), str(body["code"])
        exit_code = Exit.UNREACHABLE if response.status_code in _GATEWAY_TROUBLE else Exit.FAILED
        raise Fault(f"{words} [{code}]", exit_code, code=code)
    raise Fault(
        f"The server answered {response.status_code} {response.reason_phrase}, but not as an OpenMediaKit farm does.",
        Exit.UNREACHABLE,
    )
