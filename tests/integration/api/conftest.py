"""A farm on SQLite and a folder, and its API behind a real server on a loopback port."""

import hashlib
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from omkt_api.app import create_app
from omkt_pipeline.daemon import Grounds
from omkt_pipeline.db import migrate
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.effects import Fetched, Planned, Probed, Published, Settlement
from omkt_pipeline.domain.plan import Plan, PlannedOutput, PlannedTask
from omkt_pipeline.domain.task import Artifact, Pool, Task, TaskKind
from omkt_pipeline.logs import configure_logging
from omkt_pipeline.queue import accounts, workers
from omkt_pipeline.queue.claim import Claimant, claim
from omkt_pipeline.queue.farm import found_farm
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.settings import ApiSettings
from omkt_pipeline.storage import layout
from omkt_pipeline.storage.share import Share

MAX_UPLOAD_BYTES = 8 << 20
FILES = {
    "master.m3u8": b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv/720.m3u8\n",
    "v/720.m3u8": b"#EXTM3U\n",
    "v/720-00001.m4s": bytes(range(256)) * 4096,
    "empty.vtt": b"",
}


@dataclass(frozen=True, kw_only=True)
class Farm:
    """The farm under test, its server, and two accounts that must not see each other."""

    database: Database
    share: Share
    url: str
    key: str
    other_key: str

    def client(self, key: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key or self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    def stranger(self) -> httpx.Client:
        """A client without a key."""
        return httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    def claim(self, pool: Pool) -> Task:
        worker = workers.register(self.database, host="h", pool=pool, version="1", slots=1, facts={})
        found = claim(self.database, Claimant(worker_id=worker, host="h", pool=pool, lease_seconds=60), os.urandom(16))
        assert found is not None
        return found

    def submit(self) -> str:
        """Submit a job and cancel every other, so that its tasks are the next to be claimed; return its key."""
        with self.client() as client, self.client(self.other_key) as other:
            for one in (client, other):
                for waiting in one.get("/v1/jobs?state=queued&limit=100").json()["jobs"]:
                    one.post(f"/v1/jobs/{waiting['id']}/cancel")
            key: str = client.post("/v1/jobs", json=job()).json()["id"]
            return key

    def publish(self, *, kind: str = "hls", entry: str = "master.m3u8", files: dict[str, bytes] | None = None) -> str:
        """Let a new job be fetched, probed, planned and published as one output `hls-h264`; return its key."""
        files = files or FILES
        self.submit()
        fetched = self.claim(Pool.COURIER)
        settle(
            self.database, fetched, Settlement(effect=Fetched(path="originals/x", bytes=3, sha256="0" * 64, name=NAME))
        )
        settle(self.database, self.claim(Pool.METADATA), Settlement(effect=Probed(facts={"container": "mov"}, raw={})))
        package = PlannedTask(key="p", kind=TaskKind.PACKAGE, spec={}, output="hls-h264")
        planned = PlannedOutput(key="hls-h264", preset="hls-h264", preset_version=1, kind=kind)
        plan = Plan(outputs=(planned,), tasks=(package,))
        settle(self.database, self.claim(Pool.METADATA), Settlement(effect=Planned(plan=plan)))
        held = self.claim(Pool.TRANSCODER)
        folder = layout.result_folder(held, "hls-h264")
        artifacts = tuple(
            Artifact(path=path, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
            for path, content in files.items()
        )
        with self.share.new_folder(folder) as part:
            for path, content in files.items():
                (part / path).parent.mkdir(parents=True, exist_ok=True)
                (part / path).write_bytes(content)
        effect = Published(output="hls-h264", entry=entry, result={"renditions": []})
        settle(self.database, held, Settlement(effect=effect, folder=folder, artifacts=artifacts))
        return held.job_key


#: A name with everything that breaks pages and headers.
NAME = "<script>alert(\"1\")</script> & 'film'.mov"


def job(**change: Any) -> dict[str, Any]:
    """A request that is accepted, with changes."""
    return {"source": {"url": "https://media.example/a.mov"}, "presets": ["hls-h264"]} | change


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The app behind a real server in a thread; yield its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def build(folder: Path, **settings: Any) -> tuple[Grounds, ApiSettings, str, str]:
    """Found a farm in an empty folder, with two accounts; return what its API needs, and their keys."""
    database = Database(f"sqlite:///{folder}/farm.db")
    migrate.upgrade(database)
    farm = found_farm(database)
    share = Share.create(folder / "share", farm_id=farm.id)
    _, key = accounts.create_account(database, "mine")
    _, other = accounts.create_account(database, "theirs")
    read = ApiSettings(
        database_url=str(database.url), share_root=share.root, fetch_max_bytes=MAX_UPLOAD_BYTES, **settings
    )
    return Grounds(database=database, farm=farm, share=share), read, str(key), str(other)


@pytest.fixture(scope="session", autouse=True)
def _logs() -> Iterator[None]:
    """Logs as in production; what pytest listens with is put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(service="api", host="test", level="WARNING")
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    grounds, settings, key, other = build(tmp_path_factory.mktemp("farm"))
    with served(create_app(settings, grounds)) as url:
        yield Farm(database=grounds.database, share=grounds.share, url=url, key=key, other_key=other)


@pytest.fixture(scope="module")
def published(farm: Farm) -> str:
    """The key of a job with one published HLS output."""
    return farm.publish()
