"""A client of the original subscribes, hands a film over, orders formats and pulls them, and notices nothing."""

from pathlib import Path

import pytest

from tests.acceptance.conftest import Place
from tests.wire import life, lists, wording
from tests.wire.driver import Client, code, effective, until

MEDIA = 7


@pytest.fixture(scope="session")
def results(place: Place, ann: Client) -> dict[int, life.Result]:
    """One film's whole life; the formats are ordered in both spellings."""
    life.check_metadata(life.hand_over(ann, MEDIA, "film.mp4"), size=len(place.film))
    life.order(ann, MEDIA, [11], "JSON in one string")
    life.order(ann, MEDIA, [71, life.THUMBNAILS], "name[0]=")
    return {setting: life.receive(ann, MEDIA, setting) for setting in life.FORMATS}


def test_subscribing_gives_a_key_and_every_setting_with_its_ten_keys(place: Place) -> None:
    told = place.client("carl").subscribe(email="carl@example.org")

    assert set(told) == {"apikey", "settings"}
    assert set(told["settings"]) == {str(one) for one in wording.SETTINGS}
    for key, setting in told["settings"].items():
        assert set(setting) == wording.SETTING_KEYS
        promised = wording.SETTINGS[int(key)]
        assert str(setting["id"]) == key
        assert setting["type"] == "video"
        assert (setting["slug"], setting["extension"]) == (promised.slug, promised.extension)
        assert (setting["size_43"], setting["size_169"]) == (promised.size_43, promised.size_169)
        assert int(setting["cardinality"]) == promised.cardinality
        assert bool(setting["recommend"]) is promised.recommend


def test_the_settings_are_for_everyone_without_command_lines(place: Place) -> None:
    answer = place.client("nobody").http(place.api, params={"action": "app_get_settings"})

    settings = answer.json()
    assert answer.status_code == 200
    assert set(settings) == {str(one) for one in wording.SETTINGS}
    for setting in settings.values():
        assert set(setting) >= wording.SETTING_KEYS
        assert not [key for key in setting if "command" in key]


@pytest.mark.parametrize("setting", [11, 71])
def test_a_result_is_what_its_callback_said(results: dict[int, life.Result], setting: int, tmp_path: Path) -> None:
    life.check_result(results[setting], setting, tmp_path)


def test_thumbnails_come_as_a_zip_of_large_and_small_ones(results: dict[int, life.Result]) -> None:
    life.check_thumbnails(results[life.THUMBNAILS])


@pytest.mark.usefixtures("results")
def test_the_client_is_told_once_of_each_thing(ann: Client) -> None:
    told = ann.site.calls("ann", "transcoder_send_metadata", id=MEDIA)
    told += ann.site.calls("ann", "transcoder_send_format", id=MEDIA)

    assert all(effective(call) and call["method"] == "GET" for call in told)
    assert sorted(call["parameters"].get("settings_id", "") for call in told) == ["", "101", "11", "71"]
    assert min(told, key=lambda call: int(call["number"]))["subject"] == "transcoder_send_metadata"
    assert all(call["agent"].startswith("OpenMediaKit-Transcoder/") for call in told)


@pytest.mark.usefixtures("results")
def test_the_film_is_fetched_with_the_clients_secret(ann: Client) -> None:
    fetches = ann.site.calls("ann", "film.mp4")

    assert fetches
    assert all(call["known_key"] for call in fetches)


@pytest.mark.usefixtures("results")
def test_what_is_ordered_already_is_507_and_what_is_unknown_505(ann: Client) -> None:
    again = ann.request_formats(MEDIA, [11])
    mixed = ann.request_formats(MEDIA, [11, 12, 9999])
    unknown = ann.request_formats(MEDIA, [9998, 9999])

    assert code(again) == wording.ALREADY
    assert {key: one["code"] for key, one in mixed.json().items()} == {
        "11": wording.ALREADY,
        "12": wording.OK,
        "9999": wording.BAD_PARAMETER,
    }
    assert code(unknown) == wording.BAD_PARAMETER


@pytest.mark.parametrize(("query", "values"), lists.TABLE.items())
@pytest.mark.usefixtures("results")
def test_an_array_is_read_as_php_reads_it(ann: Client, query: str, values: list[str]) -> None:
    """1 of the table is a setting that was ordered, 2 one that is unknown."""
    written = query.replace("list", "settings_id_list").replace("=1", "=11").replace("=2", "=9999")

    answer = ann.send("app_request_format", f"id={MEDIA}&{written}")

    if len(values) == 2:
        assert {key: one["code"] for key, one in answer.json().items()} == {
            "11": wording.ALREADY,
            "9999": wording.BAD_PARAMETER,
        }
    else:
        assert code(answer) == (wording.ALREADY if values == ["1"] else wording.BAD_PARAMETER)


def test_a_piece_ends_before_its_end_and_comes_with_200(ann: Client, results: dict[int, life.Result]) -> None:
    body = results[11].body

    for asked, part in {"0-10": body[:10], "5-6": body[5:6], f"{len(body) - 3}-": body[-3:], None: body}.items():
        answer = ann.piece(MEDIA, 11, asked)
        assert (answer.status_code, answer.content) == (200, part), asked
        assert int(answer.headers["content-length"]) == len(part)


@pytest.mark.parametrize("asked", ["10-5", "x-y", "5", "-", "0-999999999999", "999999999999-"])
@pytest.mark.usefixtures("results")
def test_a_piece_that_is_not_there_is_216(ann: Client, asked: str) -> None:
    assert code(ann.piece(MEDIA, 11, asked)) == wording.BAD_RANGE


def test_a_range_header_gets_what_http_says(ann: Client, results: dict[int, life.Result]) -> None:
    answer = ann.send("app_get_media", f"id={MEDIA}&settings_id=11", Range="bytes=0-9")

    assert (answer.status_code, answer.content) == (206, results[11].body[:10])


@pytest.mark.usefixtures("results")
def test_another_clients_media_is_not_there(place: Place) -> None:
    stranger = place.subscribed("dora")

    assert code(stranger.piece(MEDIA, 11, "0-10")) == wording.NOT_FOUND
    assert code(stranger.request_formats(MEDIA, [11])) == wording.NOT_FOUND


def test_web_cron_calls_confirmed_clients_alone(ann: Client, bob: Client) -> None:
    called = until(lambda: ann.site.calls("ann", "transcoder_cron"), "web-cron")

    assert called[0]["known_key"]
    assert called[0]["method"] == "GET"
    assert bob.site.calls("bob", "transcoder_cron") == []
