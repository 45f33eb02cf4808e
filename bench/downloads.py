"""downloads: a large result by nginx for the API against nginx alone, and what the API needs when it sends it itself."""

import hashlib
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench.processes import api_of, resident_mib
from bench.report import Figure, report
from bench.servers import Server, address, on_one
from tests.proxies.programs import nginx

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.effects import Published, Settlement
from omkt_pipeline.domain.task import Artifact, Pool
from omkt_pipeline.queue.accounts import create_account
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.storage import layout
from omkt_pipeline.storage.share import Share
from omkt_pipeline.testing import a_plan, a_planned_job, a_settlement, taken

_BYTES = 2 << 30
_BLOCK = 4 << 20
_ROUNDS = 5


def run() -> None:
    """Measure on one server."""
    on_one(_measure)


def _measure(server: Server, folder: Path) -> None:
    database, share = server.farm("farm", folder)
    account, key = create_account(database, "bench")
    job, file = _published(database, share, account.id)
    target = f"/v1/jobs/{job}/outputs/film/files/film.mp4"
    plain = f"location /plain/ {{ alias {share.root}/; sendfile on; tcp_nopush on; }}"
    extra = {"OMKT_ACCEL_PREFIX": "/share/"}
    with (
        api_of(address(database), share.root, folder, extra) as (port, _),
        nginx(f"http://127.0.0.1:{port}", share.root, _folder(folder / "nginx"), more=plain) as url,
    ):
        alone = [f"{url}/plain/{file.relative_to(share.root)}", f"{url}{target}"]
        seconds = [min(_download(one, str(key)) for _ in range(_ROUNDS)) for one in alone]
    with api_of(address(database), share.root, folder / "second") as (port, pid):
        before = resident_mib(pid)
        most, itself = _watched(pid, lambda: _download(f"http://127.0.0.1:{port}{target}", str(key)))
    report(
        "downloads",
        [
            Figure(name="by nginx for the API, of nginx alone", value=seconds[0] / seconds[1], at_least=0.8),
            Figure(name="memory of an API that sends it itself grows by", value=most - before, unit=" MiB", at_most=50),
        ],
        {"bytes": _BYTES, "alone": seconds[0], "for_the_api": seconds[1], "by_the_api": itself},
    )


def _published(database: Database, share: Share, account_id: int) -> tuple[str, Path]:
    """A job with one published file of random bytes."""
    key = a_planned_job(database, account_id, a_plan(encodes=1))
    held = taken(database, Pool.TRANSCODER)
    settle(database, held, a_settlement(held))
    held = taken(database, Pool.TRANSCODER)
    folder, digest, block = layout.result_folder(held, "film"), hashlib.sha256(), os.urandom(_BLOCK)
    with share.new_folder(folder) as part, (part / "film.mp4").open("wb") as stream:
        for _ in range(_BYTES // _BLOCK):
            stream.write(block)
            digest.update(block)
    made = Artifact(path="film.mp4", bytes=_BYTES, sha256=digest.hexdigest())
    effect = Published(output="film", entry="film.mp4", result={})
    settle(database, held, Settlement(effect=effect, folder=folder, artifacts=(made,)))
    return key, share.path(f"{folder}/film.mp4")


def _download(url: str, key: str) -> float:
    begun = time.monotonic()
    words = ["--silent", "--fail", "--insecure", "--noproxy", "*", "--output", "/dev/null"]
    subprocess.run(["curl", *words, "--header", f"Authorization: Bearer {key}", url], check=True)
    return time.monotonic() - begun


def _watched(pid: int, work: Callable[[], float]) -> tuple[float, float]:
    """The most memory of a process while something is done, MiB; and what that gives."""
    seen, ended = [resident_mib(pid)], threading.Event()

    def look() -> None:
        while not ended.wait(0.05):
            seen.append(resident_mib(pid))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        given = work()
    finally:
        ended.set()
        watcher.join()
    return max(seen), given


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
