"""Fetch against real servers: whole files arrive, broken downloads go on, and liars get nothing stored."""

import hashlib
import itertools
import os
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from omkt_api.connecting import Unanswered
from omkt_api.fetch import Fetch, FetchLimits
from omkt_api.outside import Outside
from omkt_pipeline.domain.effects import Fetched, Settlement
from omkt_pipeline.domain.errors import FetchError, OmktError, ShareUnusable, Stopped
from omkt_pipeline.storage.share import Share
from omkt_pipeline.worker import TaskContext

FILM = random.Random(1).randbytes(300_000)
Request = dict[str, str]
Serve = Callable[..., Any]
Run = Callable[..., Settlement]


def head(status: str = "200 OK", **headers: object) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def whole(_: Request) -> Iterable[bytes]:
    return [head(Content_Length=len(FILM)), FILM]


def ranged(request: Request, etag: str = '"one"', film: bytes = FILM) -> tuple[bytes, bytes]:
    """Head and body of an honest server's answer."""
    if "range" not in request or request.get("if-range") != etag:
        return head(Content_Length=len(film), ETag=etag), film
    first = int(request["range"].removeprefix("bytes=").removesuffix("-"))
    part = f"bytes {first}-{len(film) - 1}/{len(film)}"
    return head("206 Partial Content", Content_Length=len(film) - first, Content_Range=part, ETag=etag), film[first:]


def cut_once(
    script: Callable[[Request], tuple[bytes, bytes]], at: int = 100_000
) -> Callable[[Request], Iterable[bytes]]:
    """The first answer ends too early."""
    first = iter([True])

    def answer(request: Request) -> Iterable[bytes]:
        start, body = script(request)
        return [start, body[:at] if next(first, False) else body]

    return answer


def stored(share: Share, settlement: Settlement) -> bytes:
    assert isinstance(settlement.effect, Fetched)
    content = (share.root / settlement.effect.path).read_bytes()
    assert settlement.effect.bytes == len(content)
    assert settlement.effect.sha256 == hashlib.sha256(content).hexdigest()
    return content


def refused(run: Callable[[], object], share: Share, kind: type[OmktError] = FetchError) -> OmktError:
    """Run a fetch that must fail, and see that it left nothing behind."""
    with pytest.raises(kind) as failed:
        run()
    assert [path for path in (share.root / "originals").rglob("*") if path.is_file()] == []
    return failed.value


def test_a_file_arrives_whole_under_the_name_of_its_attempt(fetch: Run, serve: Serve, share: Share) -> None:
    settlement = fetch(serve(whole).url + "/films/My%20Film.mp4?token=1")
    assert stored(share, settlement) == FILM
    assert isinstance(settlement.effect, Fetched)
    assert settlement.effect.path == "originals/m1/a1-01010101/original"
    assert settlement.effect.name == "My Film.mp4"
    assert settlement.folder == "originals/m1/a1-01010101"
    assert [(one.path, one.bytes) for one in settlement.artifacts] == [("original", len(FILM))]


def test_an_empty_file_and_a_chunked_one_arrive_too(fetch: Run, serve: Serve, share: Share) -> None:
    chunked = [head(Transfer_Encoding="chunked"), b"5\r\nhello\r\n", b"0\r\n\r\n"]
    assert stored(share, fetch(serve(lambda _: chunked).url)) == b"hello"
    share.remove("originals/m1")
    assert stored(share, fetch(serve(lambda _: [head(Content_Length=0)]).url)) == b""


@pytest.mark.parametrize("seed", range(5))
def test_a_connection_cut_at_random_bytes_is_continued_where_it_broke(
    fetch: Run, serve: Serve, share: Share, seed: int
) -> None:
    chance = random.Random(seed)

    def answer(request: Request) -> Iterable[bytes]:
        start, body = ranged(request)
        return [start, body[: chance.randint(1, 120_000)]]

    server = serve(answer)
    assert stored(share, fetch(server.url)) == FILM
    assert len(server.requests) > 2
    assert all(later["if-range"] == '"one"' for later in server.requests[1:])


def test_a_file_that_changed_meanwhile_is_fetched_anew(fetch: Run, serve: Serve, share: Share) -> None:
    other = FILM[:50_000:-1][:50_000]  # shorter than what had arrived: nothing of the old one may stay
    versions = itertools.chain([('"one"', FILM)], itertools.repeat(('"two"', other)))
    server = serve(cut_once(lambda request: ranged(request, *next(versions))))
    assert stored(share, fetch(server.url)) == other


def test_without_proof_that_the_file_is_the_same_the_download_starts_again(
    fetch: Run, serve: Serve, share: Share
) -> None:
    server = serve(cut_once(lambda _: (head(Content_Length=len(FILM), ETag='W/"weak"'), FILM)))
    assert stored(share, fetch(server.url)) == FILM
    assert "range" not in server.requests[1]


@pytest.mark.parametrize(
    "nonsense",
    [
        head("206 Partial Content", Content_Length=10, Content_Range="bytes 0-9/300000"),
        head("206 Partial Content", Content_Length=10),
        head("206 Partial Content", Content_Length=10, Content_Range="bytes 100000-100009/77", ETag='"one"'),
        head("206 Partial Content", Content_Length=10, Content_Range="bytes 100000-100009/300000", ETag='"x"'),
        head("416 Range Not Satisfiable", Content_Length=10),
    ],
)
def test_a_continuation_that_does_not_fit_is_not_believed(
    fetch: Run, serve: Serve, share: Share, nonsense: bytes
) -> None:
    def answer(request: Request) -> tuple[bytes, bytes]:
        return (nonsense, b"0123456789") if "range" in request else ranged(request)

    assert stored(share, fetch(serve(cut_once(answer)).url)) == FILM


def test_a_server_that_announces_more_than_it_sends_is_given_up_and_may_be_tried_again(
    fetch: Run, serve: Serve, share: Share
) -> None:
    server = serve(lambda _: [head(Content_Length=1_000_000), FILM])
    error = refused(lambda: fetch(server.url), share, Unanswered)
    assert error.retryable
    assert error.code == "source_interrupted"
    assert len(server.requests) == 4


def test_bytes_beyond_the_announced_length_are_not_taken(fetch: Run, serve: Serve, share: Share) -> None:
    assert stored(share, fetch(serve(lambda _: [head(Content_Length=100), FILM]).url)) == FILM[:100]


def test_a_file_announced_too_large_is_refused_before_it_is_read(fetch: Run, serve: Serve, share: Share) -> None:
    server = serve(lambda _: [head(Content_Length=1 << 60)])
    assert refused(lambda: fetch(server.url), share).code == "source_too_large"
    assert len(server.requests) == 1


def test_an_endless_body_is_cut_at_the_limit(fetch: Run, serve: Serve, share: Share) -> None:
    def endless(_: Request) -> Iterator[bytes]:
        yield head(Transfer_Encoding="chunked")
        while True:
            yield b"10000\r\n" + bytes(0x10000) + b"\r\n"

    assert refused(lambda: fetch(serve(endless).url, max_bytes=1_000_000), share).code == "source_too_large"


def test_a_compressed_body_is_refused_and_was_not_asked_for(fetch: Run, serve: Serve, share: Share) -> None:
    server = serve(lambda _: [head(Content_Encoding="gzip", Content_Length=4), b"\x1f\x8b\x08\x00"])
    assert refused(lambda: fetch(server.url), share).code == "source_encoding"
    assert server.requests[0]["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "begun",
    [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", head(Content_Length=1_000_000)],
    ids=["status line", "headers", "body"],
)
def test_a_slow_loris_is_cut_off_when_the_time_is_up(fetch: Run, serve: Serve, share: Share, begun: bytes) -> None:
    def drip(_: Request) -> Iterator[bytes]:
        yield begun
        while not ended.wait(0.02):
            yield b"x"

    ended = threading.Event()
    error = refused(lambda: fetch(serve(drip).url, total_seconds=0.4), share)
    ended.set()
    assert error.code == "source_too_slow"


def test_a_silent_server_is_left_and_may_be_tried_again(fetch: Run, serve: Serve, share: Share) -> None:
    forever = threading.Event()

    def silent(_: Request) -> Iterator[bytes]:
        forever.wait(60)
        yield b""

    error = refused(lambda: fetch(serve(silent).url, idle_seconds=0.1), share, Unanswered)
    forever.set()
    assert (error.code, error.retryable) == ("source_timeout", True)


def test_a_stopped_attempt_leaves_a_silent_server_at_once(
    outside: Outside, context: Callable[[str], TaskContext], serve: Serve, share: Share
) -> None:
    forever = threading.Event()

    def stall(_: Request) -> Iterator[bytes]:
        yield head(Content_Length=len(FILM)) + FILM[:1000]
        attempt.stop.set()
        forever.wait(60)

    attempt = context(serve(stall).url)
    limits = FetchLimits(max_bytes=1 << 20, total_seconds=300)
    refused(lambda: Fetch(outside=outside, limits=limits)(attempt), share, Stopped)
    forever.set()


@pytest.mark.parametrize(
    "status", ["204 No Content", "304 Not Modified", "400 Bad", "401 No", "404 Not Found", "410 Gone"]
)
def test_a_refusal_of_the_server_is_final(fetch: Run, serve: Serve, share: Share, status: str) -> None:
    server = serve(lambda _: [head(status, Content_Length=0)])
    error = refused(lambda: fetch(server.url), share)
    assert (error.code, error.retryable) == (f"source_http_{status[:3]}", False)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["408 Timeout", "425 Too Early", "429 Too Many", "500 Oops", "503 Busy"])
def test_trouble_of_the_server_may_pass(fetch: Run, serve: Serve, share: Share, status: str) -> None:
    error = refused(lambda: fetch(serve(lambda _: [head(status, Content_Length=0)]).url), share, Unanswered)
    assert (error.code, error.retryable) == (f"source_http_{status[:3]}", True)


def test_what_is_not_http_may_be_tried_again(fetch: Run, serve: Serve, share: Share) -> None:
    error = refused(lambda: fetch(serve(lambda _: [b"SSH-2.0-OpenSSH_9.2\r\n\r\n"]).url), share, Unanswered)
    assert "OpenSSH" not in error.message


def test_a_redirect_is_followed_and_names_the_file(fetch: Run, serve: Serve, share: Share) -> None:
    def script(request: Request) -> Iterable[bytes]:
        return (
            whole(request) if request[":path"] == "/b.mp4" else [head("302 Found", Location="/b.mp4", Content_Length=0)]
        )

    settlement = fetch(serve(script).url + "/a")
    assert stored(share, settlement) == FILM
    assert isinstance(settlement.effect, Fetched)
    assert settlement.effect.name == "b.mp4"


def test_a_source_that_does_not_fit_on_the_share_waits_for_room(fetch: Run, serve: Serve, share: Share) -> None:
    share.free_floor_bytes = 1 << 62
    error = refused(lambda: fetch(serve(whole).url), share, ShareUnusable)
    assert (error.code, error.retryable) == ("share_full", True)


def test_progress_rises_to_one(outside: Outside, context: Callable[[str], TaskContext], serve: Serve) -> None:
    seen: list[float] = []
    attempt = context(serve(whole).url)
    object.__setattr__(attempt, "report", seen.append)
    Fetch(outside=outside, limits=FetchLimits(max_bytes=1 << 20, total_seconds=60))(attempt)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_a_proxy_of_the_environment_is_not_used(
    fetch: Run, serve: Serve, share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(lambda _: [head("500 Proxy", Content_Length=0)])
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setitem(os.environ, name, proxy.url)
    assert stored(share, fetch(serve(whole).url)) == FILM
    assert proxy.requests == []


def test_a_film_that_the_account_has_already_is_not_kept_twice(
    outside: Outside, context: Callable[[str], TaskContext], serve: Serve, share: Share
) -> None:
    with share.new_folder("originals/m0/earlier") as part:
        (part / "original").write_bytes(FILM)
    asked: list[object] = []

    def equal(*what: object) -> str:
        asked.append(what)
        return "originals/m0/earlier/original"

    limits = FetchLimits(max_bytes=1 << 20, total_seconds=60)
    settlement = Fetch(outside=outside, limits=limits, equal=equal)(context(serve(whole).url))

    assert stored(share, settlement) == FILM
    assert isinstance(settlement.effect, Fetched)
    assert share.path(settlement.effect.path).samefile(share.path("originals/m0/earlier/original"))
    assert asked == [(1, settlement.effect.sha256, len(FILM))]
