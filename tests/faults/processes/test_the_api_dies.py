"""Fault 1: the api is killed while it stores a job. A client that asks again with the same key has exactly one."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.faults.processes import dying_api
from tests.servers.mariadb import free_port

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.migrate import upgrade
from omkt_pipeline.queue import accounts
from omkt_pipeline.queue.audit import audit_rows
from omkt_pipeline.queue.farm import found_farm
from omkt_pipeline.storage.share import Share

REQUEST = {"source": {"url": "https://media.example/film.mov"}, "presets": ["mp4-720p"]}


@contextmanager
def api(environment: dict[str, str], *step: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(Path(dying_api.__file__)), *step],
        env=os.environ | environment | {"OMKT_HTTP_PORT": str(port)},
    )
    try:
        deadline = time.monotonic() + 60
        url = f"http://127.0.0.1:{port}"
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{url}/health", timeout=5, trust_env=False)
                break
            except httpx.TransportError:
                assert process.poll() is None
                time.sleep(0.1)
        yield process, url
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("step", "stored"), [("before_the_commit", 0), ("after_the_commit", 1)])
def test_a_job_whose_answer_was_lost_is_there_whole_or_not_at_all_and_once_after_another_try(
    tmp_path: Path, step: str, stored: int
) -> None:
    database = Database(f"sqlite:///{tmp_path}/farm.db")
    upgrade(database)
    share = Share.create(tmp_path / "share", farm_id=found_farm(database).id)
    _, key = accounts.create_account(database, "mine")
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "order-7"}
    environment = {
        "OMKT_DATABASE_URL": str(database.url),
        "OMKT_SHARE_ROOT": str(share.root),
        "OMKT_SHARE_FREE_FLOOR": "0",
        "OMKT_LOG_LEVEL": "WARNING",
    }

    with api(environment, step) as (process, url):
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{url}/v1/jobs", json=REQUEST, headers=headers, timeout=30, trust_env=False)
        assert process.wait(timeout=30) == -9

    assert audit_rows(database) == []
    with api(environment) as (_, url), httpx.Client(headers=headers, timeout=30, trust_env=False) as client:
        assert len(client.get(f"{url}/v1/jobs").json()["jobs"]) == stored
        again = [client.post(f"{url}/v1/jobs", json=REQUEST) for _ in range(2)]
        assert len(client.get(f"{url}/v1/jobs").json()["jobs"]) == 1
    assert all(answer.is_success for answer in again)
    assert len({answer.json()["id"] for answer in again}) == 1
    assert audit_rows(database) == []
    database.close()
