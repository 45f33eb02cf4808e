"""A client of the farm's HTTP API who stands outside the lab, so that nothing that happens to hosts makes him forget."""

import hashlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.farm.lab.network import Network

T = TypeVar("T")
FINAL = ("succeeded", "failed", "cancelled")
_HERE = Path(__file__).parent


class Client:
    """Speaks to the API through a socket file, remembers every job that was promised to him, and what he saw of it."""

    def __init__(self, folder: Path, network: Network, address: str, port: int) -> None:
        self._socket = folder / f"api-{port}.socket"
        self._socket.unlink(missing_ok=True)
        self._forwarder = subprocess.Popen(
            network.inside("python3", str(_HERE / "lab" / "forward.py"), str(self._socket), address, str(port)),
            stdin=subprocess.DEVNULL,
        )
        self.key = ""
        self._orders = os.urandom(4).hex()
        self._order = 0
        self.promised: dict[str, str] = {}  #: job keys that were acknowledged, by the Idempotency-Key they came from
        self.seen: dict[str, dict[str, str]] = {}  #: checksums of the files of each published output, once seen

    def close(self) -> None:
        self._forwarder.kill()
        self._forwarder.wait()

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request. Raises httpx.TransportError when the API is out of reach."""
        transport = httpx.HTTPTransport(uds=str(self._socket))
        with httpx.Client(transport=transport, base_url="http://farm", timeout=60, trust_env=False) as client:
            headers = {"Authorization": f"Bearer {self.key}"} | more.pop("headers", {})
            return client.request(method, path, headers=headers, **more)

    def get(self, path: str, *, seconds: float = 300) -> Any:
        """The JSON of one resource, asked for again while the API is out of reach or says that it is (5xx)."""
        return self._patiently("GET", path, seconds=seconds).json()

    def submit(self, clip: Path, *presets: str, seconds: float = 300) -> str:
        """Upload a clip and ask for outputs of it, as often as it takes, with one Idempotency-Key; the job's key."""
        body = clip.read_bytes()
        upload = self._patiently("POST", f"/v1/uploads?name={clip.name}", content=body, seconds=seconds).json()
        assert upload["sha256"] == hashlib.sha256(body).hexdigest()
        self._order += 1
        idempotency = f"{self._orders}-{self._order}"
        request = {"source": {"upload": upload["id"]}, "presets": list(presets)}
        answer = self._patiently(
            "POST", "/v1/jobs", json=request, headers={"Idempotency-Key": idempotency}, seconds=seconds
        )
        assert answer.status_code == 201, answer.text
        self.promised[idempotency] = str(answer.json()["id"])
        return self.promised[idempotency]

    def job(self, key: str) -> Any:
        return self.get(f"/v1/jobs/{key}")

    def tasks(self, key: str) -> list[Any]:
        return list(self.get(f"/v1/jobs/{key}/tasks")["tasks"])

    def hosts_of(self, key: str) -> set[str]:
        """The hosts whose attempts at this job's probe, plan, encode and package tasks ended well."""
        return {tried["host"] for task in self.tasks(key) for tried in task["history"] if tried["outcome"] == "ok"}

    def running(self, key: str, kind: str = "encode") -> str | None:
        """The host that works on a task of this kind of the job, if one does."""
        return next(
            (task["host"] for task in self.tasks(key) if task["kind"] == kind and task["state"] == "running"), None
        )

    def ended(self, key: str, *, seconds: float = 600) -> Any:
        """Wait for the end of a job; look at what it shows meanwhile and after."""

        def look() -> Any:
            job = self.job(key)
            return job if job["state"] in FINAL else None

        job = wait_for(look, seconds=seconds, what=lambda: f"the end of job {key}: {self.tasks(key)}")
        for output in job["outputs"]:
            if output["state"] == "published":
                self.read(key, output["id"])
        return job

    def read(self, key: str, output: str) -> dict[str, str]:
        """Read all files of a published output. Fails when one is not what its row says, or is another than before."""
        told = self.get(f"/v1/jobs/{key}/outputs/{output}")
        found = {}
        for file in told["files"]:
            body = self._patiently("GET", f"/v1/jobs/{key}/outputs/{output}/files/{file['path']}", seconds=300).content
            found[file["path"]] = hashlib.sha256(body).hexdigest()
            assert (len(body), found[file["path"]]) == (file["bytes"], file["sha256"]), (key, output, file)
        before = self.seen.setdefault(f"{key}/{output}", found)
        assert found == before, f"{key}/{output} changed after it was published"
        return found

    def forget(self, key: str, *, promise: bool = True) -> None:
        """No longer hold the farm to what it said of a job before a restore: its files, and, with `promise`, the job."""
        self.seen = {output: files for output, files in self.seen.items() if not output.startswith(f"{key}/")}
        if promise:
            self.promised = {order: job for order, job in self.promised.items() if job != key}

    def _patiently(self, method: str, path: str, *, seconds: float, **more: Any) -> httpx.Response:
        deadline = time.monotonic() + seconds
        while True:
            try:
                answer = self.request(method, path, **more)
                if answer.status_code < 500:
                    assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
                    return answer
                why = f"{answer.status_code} {answer.text}"
            except httpx.TransportError as error:
                why = repr(error)
            assert time.monotonic() < deadline, f"{method} {path}: {why}"
            time.sleep(1)


def wait_for(look: Callable[[], T], *, seconds: float, what: Callable[[], str] | str) -> T:
    """Return the first truthy answer. Fails the test when none comes in time; the time is a limit, not a measure."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := look():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what if isinstance(what, str) else what()}")
        time.sleep(0.5)
