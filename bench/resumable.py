"""resumable: 2 GB by tus through 50 cut connections and 5 killed APIs; what had to be sent twice, and whether it is the same."""

import hashlib
import http.client
import json
import random
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from bench.processes import MODULES, environment, wait_until_ready
from bench.report import Figure, report
from bench.servers import Server, address, on_one
from tests.servers.mariadb import free_port

from omkt_pipeline.queue.accounts import create_account

_BYTES = 2 << 30
_CUTS = 50
_KILLS = 5
_BLOCK = 1 << 20
_SEED = 2026
_WAITING_BYTES = 64 << 10
#: Before a client that was told that somebody else is sending tries again.
_BUSY_SECONDS = 0.5


def run() -> None:
    """Measure on one server."""
    on_one(_measure)


def _measure(server: Server, folder: Path) -> None:
    database, share = server.farm("farm", folder)
    _, key = create_account(database, "bench")
    luck = random.Random(_SEED)
    block = luck.randbytes(_BLOCK)
    port = free_port()
    more = {"OMKT_HTTP_PORT": str(port), "OMKT_LOG_LEVEL": "WARNING"}
    client = _Client(port, str(key), block)
    cuts = sorted(luck.sample(range(_BYTES), _CUTS))
    killed = set(luck.sample(cuts, _KILLS))
    received = 0
    api = _Api(environment(address(database), share.root, folder, "api") | more, port)
    with api.running():
        url = client.announce(_BYTES)
        for cut in [*cuts, _BYTES]:
            # Until the server knows that the one before is gone, it lets nobody else send.
            while cut > received and not client.send(url, received, cut, ends=cut == _BYTES):
                time.sleep(_BUSY_SECONDS)
                received = client.offset(url)
            if cut in killed:
                api.kill_and_start()
            received = client.offset(url)
        media = client.ask("GET", f"/v1/media/{url.rpartition('/')[2]}")
    expected = hashlib.sha256()
    for _ in range(_BYTES // _BLOCK):
        expected.update(block)
    report(
        "resumable",
        [
            Figure(name="of its bytes were sent twice", value=(client.sent - _BYTES) / _BYTES, at_most=0.01),
            Figure(
                name="whole and the same (1: yes)", value=float(media["sha256"] == expected.hexdigest()), at_least=1.0
            ),
        ],
        {"bytes": _BYTES, "cuts": _CUTS, "killed": _KILLS, "server": server.name},
    )


def _put_off(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse | None = None) -> None:
    """End a connection whose request was refused. Raises AssertionError unless the answer tells to try again."""
    try:
        answer = answer or connection.getresponse()
    except (ConnectionError, http.client.BadStatusLine):
        return
    assert answer.status in (HTTPStatus.LOCKED, HTTPStatus.CONFLICT), answer.read()
    connection.close()


class _Client:
    """A tus client whose connections break."""

    def __init__(self, port: int, key: str, block: bytes) -> None:
        self._port, self._block = port, block
        self._headers = {"Authorization": f"Bearer {key}", "Tus-Resumable": "1.0.0"}
        self.sent = 0

    def announce(self, length: int) -> str:
        connection = self._connection()
        connection.request("POST", "/v1/uploads", headers=self._headers | {"Upload-Length": str(length)})
        answer = connection.getresponse()
        answer.read()
        return "/v1/uploads/" + str(answer.headers["Location"]).rpartition("/")[2]

    def send(self, url: str, begin: int, end: int, *, ends: bool) -> bool:
        """Send the bytes [begin, end) of what is announced as all that is missing; then hang up, or hear the answer. False
        when the answer came before: somebody else is sending, or has sent meanwhile."""
        connection = self._connection()
        connection.putrequest("PATCH", url)
        headers = {
            "Upload-Offset": str(begin),
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(_BYTES - begin),
        }
        for name, value in (self._headers | headers).items():
            connection.putheader(name, value)
        connection.endheaders()
        at = begin
        assert connection.sock is not None
        # What waits here has not been sent, and the kernel would take megabytes at once.
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _WAITING_BYTES)
        while at < end:
            if select.select([connection.sock], [], [], 0)[0]:
                _put_off(connection)
                return False
            piece = self._block[at % _BLOCK : at % _BLOCK + end - at]
            try:
                connection.send(piece)
            except ConnectionError:
                _put_off(connection)
                return False
            at += len(piece)
            self.sent += len(piece)
        if ends:
            answer = connection.getresponse()
            if answer.status != HTTPStatus.NO_CONTENT:
                _put_off(connection, answer)
                return False
        else:
            connection.sock.shutdown(socket.SHUT_RDWR)
        connection.close()
        return True

    def offset(self, url: str) -> int:
        while True:
            connection = self._connection()
            connection.request("HEAD", url, headers=self._headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status == HTTPStatus.OK:
                return int(answer.headers["Upload-Offset"])
            time.sleep(_BUSY_SECONDS)

    def ask(self, method: str, path: str) -> dict[str, str]:
        connection = self._connection()
        connection.request(method, path, headers=self._headers)
        found: dict[str, str] = json.loads(connection.getresponse().read())
        return found

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)


class _Api:
    """An API that is killed and started again."""

    def __init__(self, variables: dict[str, str], port: int) -> None:
        self._variables, self._port = variables, port
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        self._start()
        try:
            yield
        finally:
            self._kill()

    def kill_and_start(self) -> None:
        self._kill()
        self._start()

    def _start(self) -> None:
        words = [sys.executable, "-P", "-m", MODULES["api"]]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(words, env=self._variables, stdin=quiet, stdout=quiet, stderr=quiet)
        wait_until_ready(self._port)

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
