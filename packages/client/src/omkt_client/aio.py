"""The client for programs that do other things meanwhile: `Client`, with `await`."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
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
from omkt_client.sse import Event, Lines, job_in

T = TypeVar("T")


class AsyncClient:
    """Speaks to one farm with one key. Every method raises Problem, Unreachable or Misunderstood.

    `patience`: for so many seconds it asks again while the farm does not answer; a call may always be sent twice.
    """

    def __init__(
        self, server: str, key: str | None, *, patience: float = 0.0, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Raises ValueError when `server` is no address."""
        self.server, proxied = address(server)
        self.patience = patience
        self._http = httpx.AsyncClient(
            base_url=self.server,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=TIMEOUT,
            trust_env=proxied,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def is_ready(self) -> bool:
        """Whether the farm takes jobs now."""
        try:
            return (await self._http.get("/readyz", timeout=2.0)).status_code == 200
        except httpx.TransportError:
            return False

    async def send(self, call: Call[T]) -> T:
        """Carry a call out."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                response = await self._http.request(**call.request())
                if response.status_code not in GATEWAY_TROUBLE or time.monotonic() > deadline:
                    return call.read(response)
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    raise self._unreachable(error) from error
            await asyncio.sleep(PAUSE_SECONDS)

    async def upload(
        self, file: Path, *, name: str | None = None, on_bytes: Callable[[int], None] = lambda _: None
    ) -> Upload:
        """Send a file in one request. `on_bytes` hears how much was sent. Raises OSError when it cannot be read."""

        async def blocks() -> AsyncIterator[bytes]:
            sent = 0
            with await asyncio.to_thread(file.open, "rb") as stream:
                while block := await asyncio.to_thread(stream.read, BLOCK):
                    yield block
                    sent += len(block)
                    on_bytes(sent)

        call, request = upload(name or file.name, blocks())
        try:
            return call.read(await self._http.request(**request))
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    async def watch(self, job_id: str) -> AsyncIterator[Job]:
        """Yield the job at each change until it is final. Connects again by itself, for as long as the client is patient."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                async for event in self.events(job_id):
                    deadline = time.monotonic() + self.patience
                    if (job := job_in(event)) is not None:
                        yield job
                        if job.is_final:
                            return
            except Unreachable:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(PAUSE_SECONDS)

    async def events(self, job_id: str | None = None, *, after: str | None = None) -> AsyncIterator[Event]:
        """The events of one job, or of all of the account's, until the connection ends; `after`: the last id that was heard."""
        where = path("events") if job_id is None else path("jobs", job_id, "events")
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": after} if after else {})}
        lines = Lines()
        async with self._stream(where, headers=headers, timeout=STREAM_TIMEOUT) as response:
            async for line in response.aiter_lines():
                if (event := lines.take(line)) is not None:
                    yield event

    async def content(self, job_id: str, output_id: str, file: str) -> AsyncIterator[bytes]:
        """The bytes of a file of an output."""
        async with self._stream(path("jobs", job_id, "outputs", output_id, "files", *file.split("/"))) as response:
            async for block in response.aiter_bytes(BLOCK):
                yield block

    @asynccontextmanager
    async def _stream(self, where: str, **options: object) -> AsyncIterator[httpx.Response]:
        try:
            async with self._http.stream("GET", where, **options) as response:  # type: ignore[arg-type]
                if response.status_code in GATEWAY_TROUBLE:
                    raise Unreachable(f"{self.server} is not ready.")
                if response.status_code != 200:
                    await response.aread()
                    raise refusal(response, body_of(response))
                yield response
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: httpx.TransportError) -> Unreachable:
        return Unreachable(f"{self.server} does not answer: {str(error) or type(error).__name__}.")
