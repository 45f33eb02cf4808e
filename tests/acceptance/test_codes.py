"""What a client does wrong has the original's code."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.conftest import Place, api_of
from tests.integration.cli.farms import farm_up
from tests.wire import life, wording
from tests.wire.driver import Client, code


def bare(place: Place, **parameters: object) -> httpx.Response:
    query = {name: str(value) for name, value in parameters.items()}
    return place.client("nobody").http(place.api, params=query)


@pytest.mark.parametrize("missing", ["transcoder_key", "application", "version"])
def test_who_does_not_say_who_it_is_gets_501(place: Place, ann: Client, missing: str) -> None:
    said = {"transcoder_key": ann.key, "application": "a", "version": "1"}
    del said[missing]

    answer = bare(place, action="app_new_media", id=1, url="http://example.org/", **said)

    assert code(answer) == wording.MANDATORY


def test_an_unknown_key_is_502_and_so_is_a_key_in_other_letters(place: Place, ann: Client) -> None:
    other = "".join(one.lower() if one.isupper() else one.upper() for one in ann.key)
    for key in ("0" * 32, other, ""):
        stranger = place.client("ann")
        stranger.key = key
        assert code(stranger.new_media(1, "film.mp4")) == (wording.NO_KEY if key else wording.MANDATORY)


def test_a_client_whose_address_is_not_confirmed_does_no_work(bob: Client) -> None:
    assert code(bob.new_media(1, "film.mp4")) == wording.DISABLED
    assert bob.site.calls("bob", "film.mp4") == []


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("app_new_media", {"id": 1}),
        ("app_new_media", {"url": "http://example.org/"}),
        ("app_request_format", {"id": 1}),
        ("app_request_format", {"settings_id_list[]": 11}),
        ("app_get_media", {"id": 1}),
        ("app_get_media", {"settings_id": 11}),
        ("app_subscribe", {"email": "eve@example.org"}),
    ],
)
def test_a_missing_parameter_is_505_and_named(ann: Client, action: str, parameters: dict[str, object]) -> None:
    answer = ann.ask(action, **parameters)

    assert code(answer) == wording.BAD_PARAMETER


def test_unknown_media_are_404(ann: Client) -> None:
    assert code(ann.piece(424242, 11, "0-10")) == wording.NOT_FOUND
    assert code(ann.request_formats(424242, [11])) == wording.NOT_FOUND


def test_adapters_are_those_that_the_farm_has(ann: Client, numbers: Iterator[int]) -> None:
    assert code(ann.new_media(next(numbers), "film.mp4", adapter="gopher")) == wording.ADAPTER_NOT_SUPPORTED


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://example.org/", "film.mp4", "http://"])
def test_an_address_that_is_none_is_13_with_200(ann: Client, numbers: Iterator[int], url: str) -> None:
    answer = ann.new_media(next(numbers), "film.mp4", url=url)

    assert (answer.status_code, code(answer)) == (200, wording.BAD_URL)


def test_the_same_id_with_another_film_is_507(place: Place, ann: Client, numbers: Iterator[int]) -> None:
    media = next(numbers)
    first, other = place.film_named("first.mp4"), place.film_named("other.mp4")

    assert code(ann.new_media(media, first)) == wording.OK
    assert code(ann.new_media(media, first)) == wording.OK
    assert code(ann.new_media(media, other)) == wording.ALREADY


def test_get_and_post_and_a_slash_are_alike(place: Place, ann: Client) -> None:
    said = {"action": "app_request_format", "transcoder_key": ann.key, "application": "a", "version": "1"}
    asked = said | {"id": "424242", "settings_id_list[]": "11"}
    answers = [
        ann.http(place.api, params=asked),
        ann.http(f"{place.api}/", params=asked),
        ann.http(place.api, method="POST", data=asked),
        ann.http(f"{place.api}/", method="POST", data=asked),
        ann.http(place.api, method="POST", files={name: (None, value) for name, value in asked.items()}),
    ]

    assert [code(answer) for answer in answers] == [wording.NOT_FOUND] * 5


def test_a_body_beyond_all_bounds_is_refused(place: Place, ann: Client) -> None:
    for body in ("x=" + "y" * 70_000, "&".join(f"a{n}=1" for n in range(1001))):
        answer = ann.http(
            place.api,
            method="POST",
            content=body,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert code(answer) == wording.BAD_PARAMETER


def test_a_client_may_ask_how_its_media_stands(place: Place, ann: Client, numbers: Iterator[int]) -> None:
    media = next(numbers)
    life.hand_over(ann, media, place.film_named("asked.mp4"))
    life.order(ann, media, [71], "name[]=")
    life.receive(ann, media, 71)

    told = ann.ask("app_get_status", id=media).json()

    assert told == {"id": media, "status": 3, "formats": {"71": {"status": 1, "message": ""}}}
    assert code(ann.ask("app_get_status", id=424242)) == wording.NOT_FOUND


def test_without_an_action_a_person_reads_where_they_are(place: Place) -> None:
    answer = bare(place)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("action", ["index", "app_delete_everything", "../users", ""])
def test_an_unknown_action_is_404_or_the_page(place: Place, action: str) -> None:
    answer = bare(place, action=action)

    if action:
        assert code(answer) == wording.NOT_FOUND
    else:
        assert answer.status_code == 200


def test_an_address_becomes_one_account(place: Place, ann: Client) -> None:
    again = bare(
        place,
        action="app_subscribe",
        email="ann@example.org",
        url=ann.site.api("ann"),
        app_key="x",
        application="a",
        version="1",
    )

    assert code(again) == wording.CREATE_ACCOUNT


@pytest.mark.parametrize(
    "wrong", [{"email": "a@example.org,b@example.org"}, {"email": "nobody"}, {"url": "file:///etc/passwd"}]
)
def test_what_no_account_can_have_is_refused(place: Place, ann: Client, wrong: dict[str, str]) -> None:
    right = {"email": "fay@example.org", "url": ann.site.api("fay"), "app_key": "x", "application": "a", "version": "1"}

    answer = bare(place, action="app_subscribe", **(right | wrong))

    assert code(answer) == wording.BAD_PARAMETER


def test_a_private_farm_takes_no_subscriptions(place: Place, tmp_path: Path) -> None:
    with farm_up(tmp_path):
        answer = place.client("gus").http(
            api_of(tmp_path),
            params={
                "action": "app_subscribe",
                "email": "gus@example.org",
                "url": "http://example.org/api",
                "app_key": "x",
                "application": "a",
                "version": "1",
            },
        )

    assert code(answer) == wording.NOT_PUBLIC


def test_more_than_a_hundred_calls_in_a_minute_are_504_but_pulling_is_free(place: Place) -> None:
    client = place.subscribed("hal")

    codes = [code(client.request_formats(424242, [11])) for _ in range(wording.CALLS_PER_MINUTE + 1)]

    assert codes[: wording.CALLS_PER_MINUTE] == [wording.NOT_FOUND] * wording.CALLS_PER_MINUTE
    assert codes[-1] == wording.RATE_LIMIT
    assert code(client.piece(424242, 11, None)) == wording.NOT_FOUND
