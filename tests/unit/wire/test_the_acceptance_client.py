"""The acceptance client itself: its site goes wrong as it is told to, and remembers; its lists are PHP's."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire import lists, wording
from tests.wire.driver import Client, Site, effective
from tests.wire.site import FOREVER, Fault, app_key, serving

FILM = bytes(range(256)) * 8
CALL = "/ann/api?app_key=ann-app-key&action=transcoder_send_metadata&id=7"
FILM_ADDRESS = "/ann/media/film.mp4?app_key=ann-app-key"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "film.mp4").write_bytes(FILM)
    with serving(tmp_path, "127.0.0.1") as server:
        url = f"http://127.0.0.1:{server.server_port}"
        yield Site(here=url, there=url)


def get(site: Site, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{site.here}{path}", headers=headers, trust_env=False, timeout=10)


def test_a_call_with_the_clients_key_is_answered_with_a_yes_and_remembered(site: Site) -> None:
    answer = get(site, CALL)

    assert answer.json()["result"]["code"] == 0
    (call,) = site.calls("ann", "transcoder_send_metadata", id=7)
    assert effective(call)
    assert site.calls("bob", "transcoder_send_metadata") == []


def test_a_call_with_another_clients_key_is_refused_with_200(site: Site) -> None:
    answer = get(site, CALL.replace("/ann/", "/bob/"))

    assert (answer.status_code, answer.json()["result"]["code"]) == (200, 300)
    assert not effective(site.calls("bob", "transcoder_send_metadata")[0])


def test_the_film_is_for_whoever_has_the_key_whole_or_from_a_byte(site: Site) -> None:
    assert get(site, FILM_ADDRESS).content == FILM
    assert get(site, "/ann/media/film.mp4").status_code == 403
    rest = get(site, FILM_ADDRESS, Range="bytes=100-")
    assert (rest.status_code, rest.content) == (206, FILM[100:])
    assert rest.headers["content-range"] == f"bytes 100-{len(FILM) - 1}/{len(FILM)}"
    assert get(site, FILM_ADDRESS, Range=f"bytes={len(FILM)}-").status_code == 416


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.ERROR, 500), (Fault.NOT_FOUND, 404), (Fault.REFUSE, 200), (Fault.EMPTY, 200), (Fault.UNKNOWN_ACTION, 200)],
)
def test_a_fault_is_for_one_call(site: Site, fault: Fault, status: int) -> None:
    site.go_wrong("transcoder_send_metadata", fault)

    wrong, right = get(site, CALL), get(site, CALL)

    assert wrong.status_code == status
    assert wrong.content != right.content
    assert right.json()["result"]["code"] == 0
    assert [effective(call) for call in site.calls("ann", "transcoder_send_metadata")] == [False, True]


def test_a_fault_that_is_to_last_lasts(site: Site) -> None:
    site.go_wrong("film.mp4", Fault.NOT_FOUND, FOREVER)

    assert [get(site, FILM_ADDRESS).status_code for _ in range(3)] == [404, 404, 404]


def test_a_wrong_answer_is_no_json(site: Site) -> None:
    site.go_wrong("transcoder_send_metadata", Fault.WRONG_ANSWER)

    assert get(site, CALL).text.startswith("<html>")


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.CUT_OFF])
def test_a_body_or_a_whole_answer_is_lost(site: Site, fault: Fault) -> None:
    site.go_wrong("film.mp4", fault)

    with pytest.raises(httpx.RemoteProtocolError):
        get(site, FILM_ADDRESS)
    assert get(site, FILM_ADDRESS).content == FILM


def test_a_slow_film_is_whole(site: Site) -> None:
    site.go_wrong("film.mp4", Fault.SLOW)

    assert get(site, FILM_ADDRESS).content == FILM


def test_without_ranges_the_whole_film_comes(site: Site) -> None:
    site.go_wrong("film.mp4", Fault.NO_RANGE)

    answer = get(site, FILM_ADDRESS, Range="bytes=100-")

    assert (answer.status_code, answer.content) == (200, FILM)


@pytest.mark.parametrize("fault", [Fault.REDIRECT, Fault.REDIRECT_TO_LOOPBACK])
def test_a_redirect_leads_to_the_same_path(site: Site, fault: Fault) -> None:
    site.go_wrong("film.mp4", fault)

    answer = get(site, FILM_ADDRESS)

    assert answer.status_code == 302
    assert answer.headers["location"] == f"{site.here}{FILM_ADDRESS}"


def test_the_driver_asks_as_the_original_client_does(site: Site) -> None:
    client = Client(url=f"{site.here}/ann/api", name="ann", site=site, key="k")

    client.request_formats(5, [11, 101])

    (call,) = site.calls("ann", "app_request_format")
    assert call["method"] == "GET"
    assert call["parameters"] == {
        "action": "app_request_format",
        "application": "omkt-acceptance",
        "version": "0.1",
        "transcoder_key": "k",
        "id": "5",
        "settings_id_list[0]": "11",
        "settings_id_list[1]": "101",
    }


def test_a_secret_fits_the_originals_column() -> None:
    assert len(app_key("a client with a name")) <= 32


def test_the_original_has_28_settings_and_recommends_four_of_them() -> None:
    assert len(wording.SETTINGS) == 28
    assert [key for key, one in wording.SETTINGS.items() if one.recommend] == [11, 14, 15, 101]


@pytest.mark.parametrize(("query", "values"), lists.TABLE.items())
def test_the_reader_has_what_php_has(query: str, values: list[str]) -> None:
    assert lists.read(query, "list") == values


@given(st.lists(st.integers(min_value=0, max_value=10**6), max_size=40), st.sampled_from(sorted(lists.SPELLINGS)))
def test_every_spelling_of_an_array_says_the_same_list(values: list[int], spelling: str) -> None:
    written = lists.SPELLINGS[spelling]("list", values)

    if spelling != "JSON in one string":
        assert lists.read(written, "list") == [str(one) for one in values]
    else:
        assert httpx.QueryParams(written)["list"] == str(values)
