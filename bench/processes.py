"""The farm's processes: started as a farm starts them, and what they cost."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
from tests.servers.mariadb import free_port

MODULES = {
    "api": "omkt_api",
    "courier": "omkt_api.courier",
    "metadata": "omkt_metadata",
    "transcoder": "omkt_transcoder",
}
_START_SECONDS = 60.0


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of all below it, the dead included whose end was waited for."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return float(total)


def resident_mib(pid: int) -> float:
    """Resident memory of one process."""
    return float(psutil.Process(pid).memory_info().rss) / (1 << 20)


def environment(database_url: str, share_root: Path, folder: Path, name: str) -> dict[str, str]:
    """What a service reads from its environment, when it works in `folder`."""
    return {
        **os.environ,
        "OMKT_DATABASE_URL": database_url,
        "OMKT_SHARE_ROOT": str(share_root),
        "OMKT_SHARE_FREE_FLOOR": "0",
        "OMKT_IDENTITY_FILE": str(folder / "host-identity"),
        "OMKT_SCRATCH_ROOT": str(folder / f"{name}.scratch"),
        "OMKT_SCRATCH_FREE_FLOOR": "0",
        "OMKT_LIVENESS_FILE": str(folder / f"{name}.alive"),
    }


@contextmanager
def services(
    *names: str, database_url: str, share_root: Path, folder: Path, extra: Mapping[str, str] | None = None
) -> Iterator[dict[str, int]]:
    """The services of these names as processes; gives their pids. Daemons are up when the block begins."""
    folder.mkdir(parents=True, exist_ok=True)
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name in names:
            with (folder / f"{name}.log").open("wb") as log:
                running[name] = subprocess.Popen(
                    [sys.executable, "-P", "-m", MODULES[name]],
                    env=environment(database_url, share_root, folder, name) | dict(extra or {}),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
        for name, process in running.items():
            if name != "api":
                _wait_until_alive(folder, name, process)
        yield {name: process.pid for name, process in running.items()}
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def api_of(
    database_url: str, share_root: Path, folder: Path, more: Mapping[str, str] | None = None
) -> Iterator[tuple[int, int]]:
    """One API process that takes jobs and logs no requests; gives its port and its pid."""
    port = free_port()
    extra = {"OMKT_HTTP_PORT": str(port), "OMKT_LOG_LEVEL": "WARNING", **(more or {})}
    with services("api", database_url=database_url, share_root=share_root, folder=folder / "api", extra=extra) as pids:
        wait_until_ready(port)
        yield port, pids["api"]


def wait_until_ready(port: int) -> None:
    """Return when the API on this port takes jobs."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the API does not get ready")


def _wait_until_alive(folder: Path, name: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not (folder / f"{name}.alive").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{name} does not start:\n{(folder / f'{name}.log').read_text()[-2000:]}")
        time.sleep(0.05)
