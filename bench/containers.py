"""containers: the farm that `docker compose up` starts, against plain ffmpeg inside its transcoder image."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from bench import plain
from bench.clips import clips
from bench.contest import Effort, farm_effort, tell
from bench.processes import cpu_seconds
from bench.report import ROOT
from bench.servers import has_docker_image
from tests.servers.mariadb import free_port

from omkt_pipeline.media.tools import find_tools

_PROJECT = f"omkt-bench-{os.getpid()}"
_IMAGE = f"omkt-transcoder:{os.environ.get('OMKT_VERSION', 'local')}"
_SERVICES = ("api", "courier", "metadata", "transcoder")


@dataclass(frozen=True)
class Compose:
    """A Compose project of our own beside whatever runs here."""

    secrets: Path
    port: int

    def __call__(self, *arguments: str) -> str:
        environment = {
            "COMPOSE_PROJECT_NAME": _PROJECT,
            "COMPOSE_PROFILES": "main,workers",
            "OMKT_SECRETS_DIR": str(self.secrets),
            "OMKT_HTTP_PORT": str(self.port),
        }
        done = subprocess.run(
            ["docker", "compose", *arguments],
            cwd=ROOT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"docker compose {arguments[0]}: {done.stderr[-3000:]}")
        return done.stdout

    def cpu_seconds(self, *services: str) -> float:
        """CPU time of the containers of these services so far."""
        containers = [line for service in services for line in self("ps", "--quiet", service).split()]
        words = ["docker", "inspect", "--format={{.State.Pid}}", *containers]
        pids = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
        return sum(cpu_seconds(int(pid)) for pid in pids)


def run() -> None:
    """Measure both baselines in the image, then the farm. Says so and does nothing where the images are missing."""
    if not has_docker_image(_IMAGE):
        print(f"containers: left out; {_IMAGE} is not here. Build it: docker compose build")
        return
    files = clips(find_tools())
    cores = len(os.sched_getaffinity(0))
    baselines = {
        "one at a time": _in_image(files, at_once=1, threads=cores),
        "one for each core": _in_image(files, at_once=cores, threads=1),
    }
    with _farm() as (compose, client):
        mysql = compose.cpu_seconds("mysql")
        effort = farm_effort(client, files, lambda: compose.cpu_seconds(*_SERVICES))
        mysql = compose.cpu_seconds("mysql") - mysql
    details = {"image": _IMAGE, "mysql_cpu_seconds": round(mysql, 2), "cores": cores}
    tell("containers", effort, baselines, at_most=1.10, details=details)


@contextmanager
def _farm() -> Iterator[tuple[Compose, httpx.Client]]:
    with tempfile.TemporaryDirectory(prefix="omkt-bench-") as folder:
        compose = Compose(Path(folder) / "secrets", free_port())
        subprocess.run(["sh", "compose/init.sh", str(compose.secrets)], cwd=ROOT, check=True, capture_output=True)
        try:
            compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", "240")
            key = json.loads(compose("exec", "-T", "api", "omkt", "accounts", "create", "bench", "--json"))["key"]
            address, headers = f"http://127.0.0.1:{compose.port}", {"Authorization": f"Bearer {key}"}
            with httpx.Client(base_url=address, headers=headers, timeout=60, trust_env=False) as client:
                yield compose, client
        finally:
            compose("down", "--volumes", "--timeout", "5")


def _in_image(files: Path, *, at_once: int, threads: int) -> Effort:
    words = [
        "docker", "run", "--rm", "--network=none", f"--volume={files}:/clips:ro",
        f"--volume={Path(plain.__file__).resolve()}:/plain.py:ro", "--entrypoint=python", _IMAGE,
        "/plain.py", "/clips", "/scratch/made", str(at_once), str(threads),
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"plain ffmpeg in {_IMAGE}: {done.stderr[-3000:]}")
    return Effort(**json.loads(done.stdout))
