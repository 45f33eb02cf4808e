"""The client for programs that wait."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar

import httpx

from omkt_client.call import (
    BLOCK,
    GATEWAY_TROUBLE,
    PAUSE_SECONDS,
    STREAM_TIMEOUT,
    TIMEOUT,
    Call,
    address,
    body_of,
    path,
    refusal,
    upload,
)
from omkt_client.errors import Unreachable
from omkt_client.models import Job, Upload
from omkt_client.sse import Event, events_in, job_in

T = TypeVar("T")


class Client:
    """Speaks to one farm with one key. Every method raises Problem, Unreachable or Misunderstood.

    `patience`: for so many seconds it asks again while the farm does not answer; a call may always be sent twice.
    """

    def __init__(
        self, server: str, key: str | None, *, patience: float = 0.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        """Raises ValueError when `server` is no address."""
        self.server, proxied = address(server)
        self.patience = patience
        self._http = httpx.Client(
            base_url=self.server,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=TIMEOUT,
            trust_env=proxied,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def is_ready(self) -> bool:
        """Whether the farm takes jobs now."""
        try:
            return self._http.get("/readyz", timeout=2.0).status_code == 200
        except httpx.TransportError:
            return False

    def send(self, call: Call[T]) -> T:
        """Carry a call out."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                response = self._http.request(**call.request())
                if response.status_code not in GATEWAY_TROUBLE or time.monotonic() > deadline:
                    return call.read(response)
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    raise self._unreachable(error) from error
            time.sleep(PAUSE_SECONDS)

    def upload(
        self, file: Path, *, name: str | None = None, on_bytes: Callable[[int], None] = lambda _: None
    ) -> Upload:
        """Send a file in one request. `on_bytes` hears how much was sent. Raises OSError when it cannot be read."""

        def blocks() -> Iterator[bytes]:
            sent = 0
            with file.open("rb") as stream:
                while block := stream.read(BLOCK):
                    yield block
                    sent += len(block)
                    on_bytes(sent)

        call, request = upload(name or file.name, blocks())
        try:
            return call.read(self._http.request(**request))
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def watch(self, job_id: str) -> Iterator[Job]:
        """Yield the job at each change until it is final. Connects again by itself, for as long as the client is patient."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                for event in self.events(job_id):
                    deadline = time.monotonic() + self.patience
                    if (job := job_in(event)) is not None:
                        yield job
                        if job.is_final:
                            return
            except Unreachable:
                if time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE_SECONDS)

    def events(self, job_id: str | None = None, *, after: str | None = None) -> Iterator[Event]:
        """The events of one job, or of all of the account's, until the connection ends; `after`: the last id that was heard."""
        where = path("events") if job_id is None else path("jobs", job_id, "events")
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": after} if after else {})}
        with self._stream(where, headers=headers, timeout=STREAM_TIMEOUT) as response:
            yield from events_in(response.iter_lines())

    def content(self, job_id: str, output_id: str, file: str) -> Iterator[bytes]:
        """The bytes of a file of an output."""
        with self._stream(path("jobs", job_id, "outputs", output_id, "files", *file.split("/"))) as response:
            yield from response.iter_bytes(BLOCK)

    @contextmanager
    def _stream(self, where: str, **options: object) -> Iterator[httpx.Response]:
        try:
            with self._http.stream("GET", where, **options) as response:  # type: ignore[arg-type]
                if response.status_code in GATEWAY_TROUBLE:
                    raise Unreachable(f"{self.server} is not ready.")
                if response.status_code != 200:
                    response.read()
                    raise refusal(response, body_of(response))
                yield response
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: httpx.TransportError) -> Unreachable:
        return Unreachable(f"{self.server} does not answer: {str(error) or type(error).__name__}.")
