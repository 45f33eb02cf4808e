"""A farm in containers, as its operator sees it: Compose at the root, the HTTP API, the command line."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


def run(
    *command: str, environment: dict[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | (environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0 or not check, f"{command}: {done.stdout[-3000:]}{done.stderr[-6000:]}"
    return done


@dataclass
class ContainerFarm:
    """One Compose project."""

    environment: dict[str, str]
    port: int
    outsider_port: int
    key: str = ""
    webhook_secret: str = ""
    overlays: tuple[Path, ...] = ()  #: Compose files laid over those of every test

    def compose(self, *arguments: str, check: bool = True) -> str:
        files = ("compose.yaml", str(HERE / "compose.test.yaml"), *map(str, self.overlays))
        named = [word for file in files for word in ("-f", file)]
        return run("docker", "compose", *named, *arguments, environment=self.environment, check=check).stdout

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "-q", service).split()

    def inspect(self, container: str) -> Any:
        return json.loads(run("docker", "inspect", container).stdout)[0]

    def kill_9(self, container: str) -> None:
        """End the container's processes as the kernel would, so that its restart policy counts."""
        os.kill(self.inspect(container)["State"]["Pid"], 9)

    def http(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=30,
            trust_env=False,
        )

    def submit(self, **request: Any) -> str:
        with self.http() as client:
            answer = client.post("/v1/jobs", json=request)
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

    def job(self, key: str) -> Any:
        with self.http() as client:
            return client.get(f"/v1/jobs/{key}").json()

    def tasks(self, key: str) -> Any:
        with self.http() as client:
            return client.get(f"/v1/jobs/{key}/tasks").json()["tasks"]

    def ended(self, key: str, *, seconds: float = 180) -> Any:
        return wait_for(lambda: self._if_ended(key), seconds=seconds, what=f"the end of job {key}")

    def _if_ended(self, key: str) -> Any:
        try:
            job = self.job(key)
        except httpx.TransportError:
            return None
        return job if job.get("state") in ("succeeded", "failed", "cancelled") else None

    def hooks(self) -> list[Any]:
        return list(httpx.get(f"http://127.0.0.1:{self.outsider_port}/hooks", timeout=10, trust_env=False).json())


def wait_for(look: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """Return the first truthy answer. Fails the test when none comes in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := look():
            return answer
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds} s for {what}")
