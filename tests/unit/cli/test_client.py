"""What the client makes of a server's answers."""

import json
from collections.abc import Callable

import httpx
import pytest

from omkt_cli.client import FarmClient
from omkt_cli.faults import Exit, Fault

CREATED = "2026-11-26T10:00:00Z"
JOB = {"id": "j1", "state": "queued", "presets": ["hls-h264"], "progress": 0.0, "created_at": CREATED}


def client(answer: Callable[[httpx.Request], httpx.Response]) -> FarmClient:
    return FarmClient("http://farm.example", "omkt_key", transport=httpx.MockTransport(answer))


def test_a_problem_is_told_in_the_servers_own_words() -> None:
    problem = {"status": 400, "title": "Bad", "detail": "There is no preset x.", "code": "preset_unknown"}

    with pytest.raises(Fault, match=r"There is no preset x\. \[preset_unknown\]") as caught:
        client(lambda _: httpx.Response(400, json=problem)).presets()

    assert caught.value.exit_code is Exit.FAILED
    assert caught.value.code == "preset_unknown"


def test_a_server_that_is_no_farm_is_called_so() -> None:
    with pytest.raises(Fault, match="not that of an OpenMediaKit farm") as caught:
        client(lambda _: httpx.Response(200, json={"hello": "world"})).presets()

    assert caught.value.exit_code is Exit.UNREACHABLE


def test_a_page_of_html_is_no_answer() -> None:
    with pytest.raises(Fault, match="answered 404 Not Found, but not as"):
        client(lambda _: httpx.Response(404, text="<h1>404</h1>")).job("j1")


def test_a_server_that_was_never_met_and_refuses_is_told_at_once() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused", request=request)

    with pytest.raises(Fault, match=r"http://farm\.example does not answer: Connection refused") as caught:
        client(refuse).presets()

    assert caught.value.exit_code is Exit.UNREACHABLE


@pytest.mark.parametrize("server", ["farm.example", "ftp://farm.example", "http://"])
def test_what_is_no_address_is_a_mistake_of_usage(server: str) -> None:
    with pytest.raises(Fault) as caught:
        FarmClient(server, None)

    assert caught.value.exit_code is Exit.USAGE


def test_a_job_is_asked_for_with_a_key_that_makes_asking_again_safe() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(201, json=JOB)

    job = client(answer).submit({"url": "https://films.example/a.mov"}, ["hls-h264"])

    assert job.id == "j1"
    assert asked[0].headers["Idempotency-Key"]
    assert asked[0].headers["Authorization"] == "Bearer omkt_key"
    assert json.loads(asked[0].content)["source"] == {"url": "https://films.example/a.mov"}


def test_jobs_are_read_over_as_many_pages_as_it_takes() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("cursor") == "c":
            return httpx.Response(200, json={"jobs": [JOB | {"id": "j2"}], "next": None})
        return httpx.Response(200, json={"jobs": [JOB], "next": "c"})

    assert [job.id for job in client(answer).jobs(limit=5)] == ["j1", "j2"]


def test_watching_ends_with_the_final_state_and_connects_again_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omkt_client.client.PAUSE_SECONDS", 0.0)
    streams = [f"event: job\ndata: {json.dumps(JOB | {'state': state})}\n\n" for state in ("running", "succeeded")]

    watched = client(lambda _: httpx.Response(200, text=streams.pop(0))).watch("j1")

    assert [job.state for job in watched] == ["running", "succeeded"]


def test_ids_cannot_lead_to_another_address() -> None:
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path.decode())
        return httpx.Response(200, json=JOB)

    client(answer).job("../presets?x")

    assert paths == ["/v1/jobs/..%2Fpresets%3Fx"]
