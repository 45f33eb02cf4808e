"""Resumable uploads (tus 1.0): core, creation, expiration, checksum, termination, and jobs that do not wait for the end."""

import base64
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.api.conftest import MAX_UPLOAD_BYTES, Farm, build, job
from tests.integration.api.test_jobs import refused

from omkt_pipeline.domain.job import JobState
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.claim import Claimant, claim
from omkt_pipeline.queue.workers import register

CONTENT = os.urandom(3 << 20)
TUS = {"Tus-Resumable": "1.0.0"}
PART = TUS | {"Content-Type": "application/offset+octet-stream"}


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def announce(client: httpx.Client, length: int = len(CONTENT), **headers: str) -> str:
    made = client.post("/v1/uploads", headers=TUS | {"Upload-Length": str(length)} | headers)
    assert made.status_code == 201, made.text
    return made.headers["location"]


def send(client: httpx.Client, where: str, offset: int, content: Any, **headers: str) -> httpx.Response:
    return client.patch(where, headers=PART | {"Upload-Offset": str(offset)} | headers, content=content)


def offset_in_the_end(client: httpx.Client, where: str) -> int:
    """Where it goes on, once the lease of an API that was killed has run out: until then nobody may go on."""
    while client.head(where, headers=TUS).status_code == 423:
        time.sleep(0.5)
    return offset_of(client, where)


def offset_of(client: httpx.Client, where: str) -> int:
    return int(client.head(where, headers=TUS).headers["upload-offset"])


def lying_at(farm: Farm, where: str) -> bytes:
    return (farm.share.root / f"originals/{where.rpartition('/')[2]}/upload/original").read_bytes()


def break_off(farm: Farm, where: str, offset: int, content: bytes) -> None:
    """Send some of a long body, then close the connection."""
    with sending(farm, where, offset, content):
        pass


@contextmanager
def sending(farm: Farm, where: str, offset: int, content: bytes) -> Iterator[None]:
    """Send some of a long body, and nothing more of it; close the connection in the end."""
    host, port = farm.url.removeprefix("http://").split(":")
    head = (
        f"PATCH {where} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {farm.key}\r\nTus-Resumable: 1.0.0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nUpload-Offset: {offset}\r\nContent-Length: 5000000\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + content)
        yield
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def test_a_client_learns_what_it_may_do(farm: Farm) -> None:
    with farm.client() as client:
        answer = client.options("/v1/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert set(answer.headers["tus-extension"].split(",")) == {"creation", "expiration", "checksum", "termination"}
    assert answer.headers["tus-max-size"] == str(MAX_UPLOAD_BYTES)


def test_a_file_sent_in_parts_lies_whole_on_the_share(farm: Farm) -> None:
    with farm.client() as client:
        where = announce(client, **{"Upload-Metadata": f"filename {encoded('Mein Film.mov')},hd"})
        begun = client.head(where, headers=TUS)
        assert (begun.headers["upload-offset"], begun.headers["upload-length"]) == ("0", str(len(CONTENT)))
        assert begun.headers["cache-control"] == "no-store"
        assert begun.headers["upload-metadata"].endswith(",hd")
        assert parsedate_to_datetime(begun.headers["upload-expires"])
        for at in range(0, len(CONTENT), 1_000_000):
            answer = send(client, where, at, CONTENT[at : at + 1_000_000])
            assert answer.status_code == 204
            assert answer.headers["tus-resumable"] == "1.0.0"
        state = client.get(where).json()

    assert lying_at(farm, where) == CONTENT
    assert (state["name"], state["received"], state["complete"]) == ("Mein Film.mov", len(CONTENT), True)
    assert state["sha256"] == hashlib.sha256(CONTENT).hexdigest()


def test_a_connection_that_breaks_loses_nothing_that_had_come(farm: Farm) -> None:
    with farm.client() as client:
        where = announce(client)
        break_off(farm, where, 0, CONTENT[:1_234_567])
        assert offset_of(client, where) == 1_234_567
        assert send(client, where, 1_234_567, CONTENT[1_234_567:]).status_code == 204
    assert lying_at(farm, where) == CONTENT


def test_while_one_request_sends_no_other_can_go_on(farm: Farm) -> None:
    with farm.client() as client:
        where = announce(client)
        with sending(farm, where, 0, CONTENT[:1000]):
            tries = 0
            while client.head(where, headers=TUS).status_code != 423:  # the request has not begun
                tries += 1
                assert tries < 500, "the upload was never held"
            refused(send(client, where, 0, CONTENT), 423, "upload_busy")
            assert client.get(where).json()["complete"] is False
        assert offset_of(client, where) == 1000


def test_a_wrong_offset_changes_nothing(farm: Farm) -> None:
    with farm.client() as client:
        where = announce(client)
        send(client, where, 0, CONTENT[:1000])
        for wrong in (0, 999, 1001):
            refused(send(client, where, wrong, b"x" * 10), 409, "upload_offset")
        assert offset_of(client, where) == 1000


def test_more_than_was_announced_is_refused(farm: Farm) -> None:
    with farm.client() as client:
        where = announce(client, 1000)
        refused(send(client, where, 0, b"x" * 1001), 413, "upload_too_long")
        assert offset_of(client, where) == 0
        refused(
            client.post("/v1/uploads", headers=TUS | {"Upload-Length": str(MAX_UPLOAD_BYTES + 1)}),
            413,
            "body_too_large",
        )


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_part_with_a_wrong_checksum_is_dropped_whole(farm: Farm, algorithm: str) -> None:
    def checksum(of: bytes) -> dict[str, str]:
        return {"Upload-Checksum": f"{algorithm} {encoded(hashlib.new(algorithm, of).digest())}"}

    with farm.client() as client:
        where = announce(client)
        refused(send(client, where, 0, CONTENT[:5000], **checksum(b"other")), 460, "checksum_mismatch")
        assert offset_of(client, where) == 0
        assert send(client, where, 0, CONTENT[:5000], **checksum(CONTENT[:5000])).status_code == 204
        assert send(client, where, 5000, CONTENT[5000:], **checksum(CONTENT[5000:])).status_code == 204
    assert lying_at(farm, where) == CONTENT


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412, "tus_version"),
        ({"Content-Type": "application/octet-stream"}, 415, "content_type_unknown"),
        ({"Upload-Offset": "-1"}, 400, "upload_header_invalid"),
        ({"Upload-Checksum": "crc32 AAAA"}, 400, "upload_header_invalid"),
        ({"Upload-Checksum": "sha1 !"}, 400, "upload_header_invalid"),
    ],
)
def test_a_request_that_is_no_tus_is_refused(farm: Farm, headers: dict[str, str], status: int, code: str) -> None:
    with farm.client() as client:
        where = announce(client)
        answer = client.patch(where, headers=PART | {"Upload-Offset": "0"} | headers, content=b"x")
        refused(answer, status, code)
    assert answer.headers["tus-resumable"] == "1.0.0"


def test_an_upload_given_up_is_gone_and_the_job_that_waited_for_it_says_why(farm: Farm) -> None:
    with farm.client() as client:
        where = announce(client)
        waiting = client.post("/v1/jobs", json=job(source={"upload": where.rpartition("/")[2]})).json()
        assert client.delete(where, headers=TUS).status_code == 204
        refused(client.get(where), 404, "upload_unknown")
        refused(send(client, where, 0, b"x"), 404, "upload_unknown")
        failed = client.get(f"/v1/jobs/{waiting['id']}").json()
    assert (failed["state"], failed["error"]["code"]) == ("failed", "upload_unfinished")


def test_a_job_may_name_a_running_upload_and_begins_when_it_is_whole(farm: Farm) -> None:
    def ready() -> str | None:
        worker = register(farm.database, host="h", pool=Pool.METADATA, version="1", slots=1, facts={})
        claimant = Claimant(worker_id=worker, host="h", pool=Pool.METADATA, lease_seconds=60)
        found = claim(farm.database, claimant, os.urandom(16))
        return found.job_key if found else None

    with farm.client() as client:
        for one in client.get("/v1/jobs?state=queued&limit=100").json()["jobs"]:
            client.post(f"/v1/jobs/{one['id']}/cancel")
        where = announce(client)
        waiting = client.post("/v1/jobs", json=job(source={"upload": where.rpartition("/")[2]})).json()
        assert waiting["state"] == JobState.QUEUED
        client.post(f"/v1/jobs/{waiting['id']}/cancel")
        client.post(f"/v1/jobs/{waiting['id']}/retry")
        send(client, where, 0, CONTENT[:-1])
        assert ready() is None
        send(client, where, len(CONTENT) - 1, CONTENT[-1:])
        assert ready() == waiting["id"]


def test_one_request_at_a_time_may_send(farm: Farm) -> None:
    def slowly() -> Iterator[bytes]:
        yield CONTENT[:1000]
        with farm.client() as other:
            refused(send(other, where, 0, CONTENT), 423, "upload_busy")
        yield CONTENT[1000:]

    with farm.client() as client:
        where = announce(client)
        assert send(client, where, 0, slowly()).status_code == 204
    assert lying_at(farm, where) == CONTENT


@contextmanager
def api_process(environment: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "omkt_api"], env=os.environ | environment)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.wait()


def test_an_api_killed_at_any_byte_loses_nothing_that_it_said_it_has(tmp_path: Path) -> None:
    """kill -9 in the middle of a part, three times; the client goes on where the next API says."""
    grounds, settings, key, _ = build(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        port = chosen.getsockname()[1]
    environment = {
        "OMKT_DATABASE_URL": str(settings.database_url),
        "OMKT_SHARE_ROOT": str(settings.share_root),
        "OMKT_SHARE_FREE_FLOOR": "0",
        "OMKT_HTTP_PORT": str(port),
        "OMKT_LOG_LEVEL": "WARNING",
    }
    where, known = "", 0
    for cut in (700_000, 1_900_000, 2_500_000, None):
        with (
            api_process(environment, port) as process,
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}",
                headers={"Authorization": f"Bearer {key}"},
                timeout=30,
                trust_env=False,
            ) as client,
        ):
            where = where or announce(client)
            at = offset_in_the_end(client, where)
            assert at >= known, "what the farm said it had is gone"

            def body(
                at: int = at, cut: int | None = cut, process: subprocess.Popen[bytes] = process
            ) -> Iterator[bytes]:
                for begin in range(at, len(CONTENT), 50_000):
                    if cut is not None and begin >= cut:
                        process.send_signal(signal.SIGKILL)
                        process.wait()
                    yield CONTENT[begin : begin + 50_000]

            if cut is None:
                # The lease of the killed API has to run out first.
                while (answer := send(client, where, at, body())).status_code == 423:
                    time.sleep(0.5)
                assert answer.status_code == 204
                continue
            half = at + 100_000
            while (answer := send(client, where, at, CONTENT[at:half])).status_code == 423:
                time.sleep(0.5)
            at = known = half
            with pytest.raises(httpx.TransportError):
                send(client, where, at, body(at))
    lying = grounds.share.root / f"originals/{where.rpartition('/')[2]}/upload/original"
    assert lying.read_bytes() == CONTENT
    grounds.database.close()
