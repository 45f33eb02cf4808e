"""Servers on the loopback that send what a script says, byte by byte, and break off when it ends."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from omkt_api.fetch import Fetch, FetchLimits
from omkt_api.guard import OutsidePolicy
from omkt_api.outside import Outside
from omkt_pipeline.domain.effects import Settlement
from omkt_pipeline.domain.task import Task, TaskKind
from omkt_pipeline.storage.share import Share
from omkt_pipeline.worker import TaskContext

#: Header fields in lower case, with ":method", ":path" and ":body" beside them.
Request = dict[str, str]
Script = Callable[[Request], Iterable[bytes]]
LOOPBACK = OutsidePolicy(allowed_networks=(ip_network("127.0.0.0/8"),), allowed_ports=tuple(range(1024, 65536)))


class ScriptedServer:
    """Answers each connection once, by what the script yields, then closes it."""

    def __init__(self, script: Script, *, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self._script = script
        self._tls = tls
        self._listener = socket.create_server((address, 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://{address}:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            if self._tls is not None:
                connection = stack.enter_context(self._tls.wrap_socket(connection, server_side=True))
            request = _read(connection)
            self.requests.append(request)
            for piece in self._script(request):
                connection.sendall(piece)


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedServer]]:
    """Start servers; they end with the test."""
    with contextlib.ExitStack() as stack:

        def start(script: Script, **how: object) -> ScriptedServer:
            server = ScriptedServer(script, **how)  # type: ignore[arg-type]
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture(scope="session")
def outside() -> Outside:
    """A client that may reach the loopback."""
    return Outside(LOOPBACK)


@pytest.fixture
def share(tmp_path: Path) -> Share:
    return Share.create(tmp_path / "share", farm_id="farm")


@pytest.fixture
def context(tmp_path: Path, share: Share) -> Callable[[str], TaskContext]:
    """An attempt to fetch a URL."""

    def make(url: str) -> TaskContext:
        task = Task(
            id=1,
            job_id=1,
            media_id=1,
            account_id=1,
            kind=TaskKind.FETCH,
            spec={"url": url, "media": "m1"},
            attempt=1,
            token=b"\x01" * 16,
            job_key="j1",
        )
        return TaskContext(
            task=task, share=share, scratch=tmp_path, threads=1, stop=threading.Event(), report=lambda _: None
        )

    return make


@pytest.fixture
def fetch(outside: Outside, context: Callable[[str], TaskContext]) -> Callable[..., Settlement]:
    """Fetch a URL from the loopback, without waiting between tries."""

    def run(
        url: str,
        *,
        max_bytes: int = 1 << 24,
        total_seconds: float = 60.0,
        idle_seconds: float = 20.0,
        through: Outside = outside,
    ) -> Settlement:
        limits = FetchLimits(max_bytes=max_bytes, total_seconds=total_seconds, idle_seconds=idle_seconds)
        return Fetch(outside=through, limits=limits, pause_seconds=lambda _: 0.0)(context(url))

    return run


def _read(connection: socket.socket) -> Request:
    stream = connection.makefile("rb")
    method, path, _ = stream.readline().decode().split(" ", 2)
    request = {":method": method, ":path": path}
    while line := stream.readline().decode().strip():
        name, _, value = line.partition(":")
        request[name.lower()] = value.strip()
    request[":body"] = stream.read(int(request.get("content-length", 0))).decode()
    return request
