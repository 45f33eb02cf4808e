"""The clients' web site: serves their films, takes the transcoder's calls, and misbehaves when it is told to.

Standard library alone and one file: the same script runs in a test's thread and in a container
(`python site.py FOLDER PORT`). Each client has a folder of URLs and a secret that the transcoder must present:

    /NAME/media/FILE     the client's films, for whoever presents `app_key`
    /NAME/api            the client's API root: callbacks and web-cron
    /control/calls       GET: every call so far, in order
    /control/faults      PUT {"subject": [fault, …]}: how the next calls go wrong, each fault for one call; `"forever"` at
                         the end of a list keeps the fault before it

A subject is an action of the API (`transcoder_send_metadata`), the same for one media (`transcoder_send_metadata/7`), or the
name of a film.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

FOREVER = "forever"
SLOW_SECONDS = 2.0
#: Codes of the original's client library: a wrong key, an action it does not know, a call it did not wait for.
CODE_OK, CODE_BAD_KEY, CODE_UNKNOWN_ACTION, CODE_REFUSED = 0, 300, 226, 400
CONTENT_TYPES = {".mp4": "video/mp4", ".mp3": "audio/mpeg"}
ANSWERED = ("transcoder_cron", "transcoder_send_metadata", "transcoder_send_format", "transcoder_send_alert")


class Fault(StrEnum):
    """What can go wrong with a client's site."""

    SLOW = "slow"  #: the answer comes in drips
    DOWN = "down"  #: the connection is closed without a word
    ERROR = "500"
    NOT_FOUND = "404"
    REFUSE = "refuse"  #: HTTP 200, and a code that says no
    UNKNOWN_ACTION = "unknown action"  #: HTTP 200, and the code of the original's client for what it does not know
    WRONG_ANSWER = "wrong answer"  #: HTTP 200, and no JSON
    EMPTY = "empty"
    CUT_OFF = "cut off"  #: half of the body, then the end; the call itself was taken
    NO_RANGE = "no range"  #: the whole file with 200, whatever was asked for
    REDIRECT = "redirect"  #: to the same site
    REDIRECT_TO_LOOPBACK = "redirect to loopback"  #: to 127.0.0.1, where nobody may be led


REFUSALS = {Fault.REFUSE: CODE_REFUSED, Fault.UNKNOWN_ACTION: CODE_UNKNOWN_ACTION}


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request that the site had from the transcoder."""

    number: int
    client: str
    subject: str
    host: str  #: which of the site's names was called
    method: str
    parameters: dict[str, str]
    known_key: bool
    range: str | None
    agent: str
    fault: str | None


@dataclass
class Memory:
    """What the site knows: what was asked of it, and what is to go wrong."""

    folder: Path
    calls: list[Call] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_fault(self, subject: str) -> Fault | None:
        coming = self.faults.get(subject, [])
        if not coming:
            return None
        if coming[1:] == [FOREVER]:
            return Fault(coming[0])
        return Fault(coming.pop(0))

    def take(self, **seen: Any) -> Call:
        with self.lock:
            subject, media = seen["subject"], seen["parameters"].get("id", "")
            fault = self.next_fault(f"{subject}/{media}") or self.next_fault(subject)
            call = Call(number=len(self.calls), fault=fault, **seen)
            self.calls.append(call)
            return call


def app_key(client: str) -> str:
    """The secret of a client; at most 32 characters, as the original's column has it."""
    return f"{client}-app-key"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "SiteServer"

    def do_GET(self) -> None:
        self.route(b"")

    def do_POST(self) -> None:
        self.route(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def do_PUT(self) -> None:
        faults = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for subject, coming in faults.items():
            _ = [Fault(one) for one in coming if one != FOREVER]
            self.server.memory.faults[subject] = coming
        self.answer(204, b"")

    def route(self, body: bytes) -> None:
        address = urlsplit(self.path)
        parts = address.path.strip("/").split("/")
        if parts == ["control", "calls"]:
            return self.answer(200, json.dumps([asdict(call) for call in self.server.memory.calls]).encode())
        parameters = dict(parse_qsl(address.query, keep_blank_values=True) + parse_qsl(body.decode("latin-1")))
        if len(parts) == 2 and parts[1] == "api":
            return self.be_called(parts[0], parameters)
        if len(parts) == 3 and parts[1] == "media":
            return self.give_film(parts[0], parts[2], parameters)
        return self.answer(404, b"nothing here")

    def taken(self, client: str, subject: str, parameters: dict[str, str]) -> Call:
        return self.server.memory.take(
            client=client,
            subject=subject,
            host=self.headers.get("Host", "").rpartition(":")[0],
            method=self.command,
            parameters=parameters,
            known_key=parameters.get("app_key") == app_key(client),
            range=self.headers.get("Range"),
            agent=self.headers.get("User-Agent", ""),
        )

    def be_called(self, client: str, parameters: dict[str, str]) -> None:
        call = self.taken(client, parameters.get("action", ""), parameters)
        if self.went_wrong(call, _verdict(call)):
            return
        self.answer(200, _verdict(call))

    def give_film(self, client: str, name: str, parameters: dict[str, str]) -> None:
        call = self.taken(client, name, parameters)
        path = self.server.memory.folder / name
        if not path.is_file():
            return self.answer(404, b"no such film")
        content = path.read_bytes()
        kind = CONTENT_TYPES.get(path.suffix, "application/octet-stream")
        if self.went_wrong(call, content, kind):
            return None
        if not call.known_key:
            return self.answer(403, b"who are you?")
        first = _first_byte(call.range)
        if first is None or call.fault == Fault.NO_RANGE:
            return self.answer(200, content, kind, etag=_etag(content))
        if first >= len(content):
            return self.answer(416, b"", kind, content_range=f"bytes */{len(content)}")
        held = f"bytes {first}-{len(content) - 1}/{len(content)}"
        return self.answer(206, content[first:], kind, content_range=held, etag=_etag(content))

    def went_wrong(self, call: Call, body: bytes, kind: str = "application/json") -> bool:
        """Play the call's fault. Whether that was the whole answer."""
        match call.fault:
            case Fault.DOWN:
                self.close_connection = True
            case Fault.ERROR | Fault.NOT_FOUND:
                self.answer(int(call.fault), b"out of order", "text/plain")
            case Fault.REFUSE | Fault.UNKNOWN_ACTION:
                self.answer(200, _result(REFUSALS[Fault(call.fault)], call.fault))
            case Fault.WRONG_ANSWER:
                self.answer(200, b"<html>Warning: mysql_connect()</html>", "text/html")
            case Fault.EMPTY:
                self.answer(200, b"")
            case Fault.CUT_OFF:
                self.head(200, len(body), kind, etag=_etag(body))
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
            case Fault.SLOW:
                self.drip(body, kind)
            case Fault.REDIRECT:
                self.redirect(f"http://{self.headers['Host']}{self.path}")
            case Fault.REDIRECT_TO_LOOPBACK:
                self.redirect(f"http://127.0.0.1:{self.server.server_port}{self.path}")
            case _:
                return False
        return True

    def drip(self, body: bytes, kind: str) -> None:
        self.head(200, len(body), kind)
        step = max(1, len(body) // 10)
        for begin in range(0, len(body), step):
            self.wfile.write(body[begin : begin + step])
            self.wfile.flush()
            time.sleep(SLOW_SECONDS / 10)

    def redirect(self, target: str) -> None:
        self.send_response(302)
        self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, status: int, body: bytes, kind: str = "application/json", **more: str) -> None:
        self.head(status, len(body), kind, **more)
        self.wfile.write(body)

    def head(self, status: int, length: int, kind: str, **more: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Content-Type", kind)
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Calls are in memory; a log beside them says nothing more."""


class SiteServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], memory: Memory) -> None:
        super().__init__(address, Handler)
        self.memory = memory

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that leaves in the middle is what these tests are about."""


def _verdict(call: Call) -> bytes:
    if not call.known_key:
        return _result(CODE_BAD_KEY, "bad key")
    if call.subject not in ANSWERED:
        return _result(CODE_UNKNOWN_ACTION, "unknown action")
    return _result(CODE_OK, "OK")


def _result(code: int, message: str) -> bytes:
    return json.dumps({"result": {"code": code, "message": message}}).encode()


def _first_byte(header: str | None) -> int | None:
    """`bytes=N-`: the only kind that a download which goes on has use for."""
    if header is None or not header.startswith("bytes="):
        return None
    return int(header.removeprefix("bytes=").split("-")[0] or 0)


def _etag(content: bytes) -> str:
    return f'"{len(content)}"'


@contextmanager
def serving(folder: Path, *addresses: str) -> Iterator[SiteServer]:
    """A site in threads, at the same port of each address."""
    memory, port = Memory(folder), 0
    with ExitStack() as stack:
        servers = []
        for address in addresses:
            server = stack.enter_context(SiteServer((address, port), memory))
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            stack.callback(server.shutdown)
            port = server.server_port
            servers.append(server)
        yield servers[0]


if __name__ == "__main__":
    SiteServer(("", int(sys.argv[2])), Memory(Path(sys.argv[1]))).serve_forever()
