"""The process: health, metrics, documentation, headers, start and stop."""

import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from tests.integration.api.conftest import Farm, build, job, served
from tests.integration.api.test_jobs import refused

from omkt_api.app import create_app
from omkt_pipeline.db.engine import Database
from omkt_pipeline.storage.layout import SENTINEL


def test_health_readiness_and_metrics_need_no_key(farm: Farm) -> None:
    with farm.stranger() as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json() == {"status": "ok"}
        measured = client.get("/metrics").text
    assert 'omkt_http_request_seconds_count{method="GET",route="/healthz",status="200"}' in measured
    assert "omkt_queue_tasks" in measured


def test_readiness_says_what_is_missing(tmp_path: Path) -> None:
    grounds, settings, _, _ = build(tmp_path)
    with served(create_app(settings, grounds)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        sentinel = grounds.share.root / SENTINEL
        sentinel.rename(tmp_path / "sentinel")
        response = client.get("/readyz")
        body = refused(response, 503, "share_unusable")
        assert str(tmp_path) not in body["detail"]
        assert client.get("/healthz").status_code == 200
        (tmp_path / "sentinel").rename(sentinel)
        assert client.get("/readyz").status_code == 200


def test_every_answer_has_safe_headers_and_an_id_of_ours(farm: Farm) -> None:
    with farm.client() as client:
        for path in ("/v1/jobs", "/v1/nothing", "/healthz", "/docs", "/openapi.json", "/static/play.js"):
            response = client.get(path, headers={"X-Request-Id": "forged"})
            assert response.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in response.headers["content-security-policy"]
            assert len(response.headers["x-request-id"]) == 26
            assert "server" not in response.headers


def test_a_fault_of_ours_tells_clients_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    grounds, settings, key, _ = build(tmp_path)
    broken = Database(f"sqlite:///{tmp_path}/empty.db")  # without tables: no statement can work
    app = create_app(settings, grounds)
    app.state.api = replace(app.state.api, database=broken)
    with served(app) as url, httpx.Client(base_url=url, trust_env=False) as client, caplog.at_level(logging.ERROR):
        body = refused(client.get("/v1/jobs", headers={"Authorization": f"Bearer {key}"}), 500, "internal")
    assert "SELECT" not in json.dumps(body)
    assert "api_key" not in json.dumps(body)
    grounds.database.close()


def test_openapi_says_all_of_it(farm: Farm) -> None:
    with farm.stranger() as client:
        document = client.get("/openapi.json").json()

    assert document["openapi"].startswith("3.1")
    assert "Problem" in document["components"]["schemas"]
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    operations = [(path, operation) for path, methods in document["paths"].items() for operation in methods.values()]
    names = [operation["operationId"] for _, operation in operations]
    assert len(set(names)) == len(names)
    for path, operation in operations:
        keyed = path.startswith("/v1/") and not path.startswith(("/v1/files/", "/v1/zips/"))
        assert ("security" in operation) == keyed, path
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert "application/problem+json" in response["content"], (path, status)


def test_the_documentation_loads_nothing_from_elsewhere(farm: Farm) -> None:
    with farm.stranger() as client:
        page = client.get("/docs").text
        assert "http://" not in page
        assert "https://" not in page
        for name in ("swagger-ui-bundle.js", "swagger-ui.css", "docs.js"):
            assert client.get(f"/static/{name}").status_code == 200


def start(folder: Path, **change: str) -> "subprocess.Popen[str]":
    environment = {
        "PATH": os.environ["PATH"],
        "OMKT_DATABASE_URL": f"sqlite:///{folder}/farm.db",
        "OMKT_SHARE_ROOT": f"{folder}/share",
        "OMKT_HTTP_PORT": "0",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "omkt_api"], env=environment | change, stderr=subprocess.PIPE, text=True
    )


def test_the_process_serves_logs_without_secrets_and_stops_on_sigterm(tmp_path: Path) -> None:
    grounds, _, key, _ = build(tmp_path)
    grounds.database.close()
    with start(tmp_path) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "running on" in line:
                break
        url = "http://" + lines[-1].partition("http://")[2].split(" ")[0]
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, trust_env=False) as client:
            path = client.post("/v1/jobs", json=job()).headers["location"]
            with client.stream("GET", f"{path}/events") as stream:
                next(stream.iter_lines())
                process.send_signal(signal.SIGTERM)
                lines += process.stderr.readlines()
        assert process.wait() == 0
    text = "".join(lines)
    assert key not in text
    requests = [one for one in map(json.loads, lines) if one.get("event_code") == "request"]
    assert (requests[0]["method"], requests[0]["route"], requests[0]["status"]) == ("POST", "/v1/jobs", 201)
    assert requests[0]["account"] == "mine"


def test_a_wrong_setting_is_refused_with_a_sentence(tmp_path: Path) -> None:
    build(tmp_path)[0].database.close()
    with start(tmp_path, OMKT_HTTP_PORT="none") as process:
        _, complaint = process.communicate()
    assert process.returncode == 2
    assert "OMKT_HTTP_PORT" in complaint
