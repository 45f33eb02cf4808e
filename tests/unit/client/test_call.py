"""What the client makes of answers, sync and async alike."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from omkt_client import AsyncClient, Client, Misunderstood, Problem, Unreachable, jobs, media

Answer = Callable[[httpx.Request], httpx.Response]
JOB = {"id": "j1", "state": "queued", "progress": 0.0, "created_at": "2026-11-26T10:00:00Z"}


def sync(answer: Answer, *, patience: float = 0.0) -> Client:
    return Client("http://farm.example/", "omkt_key", patience=patience, transport=httpx.MockTransport(answer))


def test_a_refusal_says_all_that_the_farm_said() -> None:
    problem = {
        "status": 429, "title": "Too many", "detail": "Wait a while.", "code": "rate_limited",
        "errors": [{"field": "presets.0", "message": "unknown"}],
    }  # fmt: skip
    refused = httpx.Response(429, json=problem, headers={"Retry-After": "7"})

    with pytest.raises(Problem, match=r"Wait a while\. \[rate_limited\]") as caught:
        sync(lambda _: refused).send(jobs.get("j1"))

    assert (caught.value.status, caught.value.code, caught.value.retry_after) == (429, "rate_limited", 7.0)
    assert [(fault.field, fault.message) for fault in caught.value.faults] == [("presets.0", "unknown")]


def test_what_a_newer_farm_says_more_is_kept() -> None:
    job = sync(lambda _: httpx.Response(200, json=JOB | {"mood": "good"})).send(jobs.get("j1"))

    assert job.raw["mood"] == "good"


@pytest.mark.parametrize("answer", [{}, {"id": "j1"}, [], "x"])
def test_an_answer_of_something_else_is_no_answer(answer: object) -> None:
    with pytest.raises(Misunderstood):
        sync(lambda _: httpx.Response(200, json=answer)).send(jobs.get("j1"))


def test_an_answer_without_a_body_is_none() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.raw_path.decode()}")
        return httpx.Response(204)

    assert sync(answer).send(media.remove("a/b")) is None
    assert asked == ["DELETE /v1/media/a%2Fb"]


def test_a_patient_client_waits_for_a_farm_that_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omkt_client.client.PAUSE_SECONDS", 0.0)
    answers = [httpx.Response(502), httpx.ConnectError("refused"), httpx.Response(200, json=JOB)]

    def answer(_: httpx.Request) -> httpx.Response:
        one = answers.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    assert sync(answer, patience=30.0).send(jobs.get("j1")).id == "j1"


def test_a_job_that_is_asked_for_twice_has_one_key() -> None:
    call = jobs.submit({"url": "https://films.example/a.mov"}, ["hls-h264"])

    assert call.request()["headers"]["Idempotency-Key"] == call.request()["headers"]["Idempotency-Key"]


def test_the_async_client_answers_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omkt_client.aio.PAUSE_SECONDS", 0.0)
    answers = [httpx.Response(503), httpx.Response(200, json=JOB)]

    async def ask() -> str:
        transport = httpx.MockTransport(lambda _: answers.pop(0))
        async with AsyncClient("http://farm.example", "k", patience=30.0, transport=transport) as farm:
            return (await farm.send(jobs.get("j1"))).id

    assert asyncio.run(ask()) == "j1"


def test_the_async_client_says_that_nobody_answers() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused", request=request)

    async def ask() -> None:
        async with AsyncClient("http://farm.example", None, transport=httpx.MockTransport(refuse)) as farm:
            await farm.send(jobs.get("j1"))

    with pytest.raises(Unreachable, match="Connection refused"):
        asyncio.run(ask())
