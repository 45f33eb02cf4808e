"""A client's site goes wrong. Its films arrive all the same or it is told that they do not, and it is told once."""

import json
from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import SITE_ADDRESS, Place
from tests.wire import life, wording
from tests.wire.driver import Client, code, effective
from tests.wire.site import FOREVER, Fault


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.CUT_OFF, Fault.NO_RANGE, Fault.REDIRECT])
def test_a_film_arrives_over_a_bad_line(place: Place, ann: Client, numbers: Iterator[int], fault: Fault) -> None:
    media, name = next(numbers), place.film_named(f"{fault.value.replace(' ', '-')}.mp4")
    ann.site.go_wrong(name, fault)

    life.check_metadata(life.hand_over(ann, media, name), size=len(place.film))


def test_a_line_that_is_cut_while_the_site_has_no_ranges(place: Place, ann: Client, numbers: Iterator[int]) -> None:
    media, name = next(numbers), place.film_named("cut-and-no-ranges.mp4")
    ann.site.go_wrong(name, Fault.CUT_OFF, Fault.NO_RANGE)

    life.check_metadata(life.hand_over(ann, media, name), size=len(place.film))


@pytest.mark.parametrize("fault", [Fault.NOT_FOUND, Fault.REDIRECT_TO_LOOPBACK])
def test_a_film_that_cannot_be_had_is_an_alert(place: Place, ann: Client, numbers: Iterator[int], fault: Fault) -> None:
    media, name = next(numbers), place.film_named(f"{fault.value.replace(' ', '-')}.mp4")
    ann.site.go_wrong(name, fault, FOREVER)

    assert code(ann.new_media(media, name)) == wording.OK
    told = ann.told("transcoder_send_alert", media)

    assert int(told["status"]) >= 1
    assert told["message"]
    assert {call["host"] for call in ann.site.calls("ann", name)} == {SITE_ADDRESS}
    assert ann.site.calls("ann", "transcoder_send_metadata", id=media) == []


def test_what_is_no_film_is_alert_1(place: Place, ann: Client, numbers: Iterator[int]) -> None:
    media = next(numbers)
    (place.server.memory.folder / "letter.mp4").write_text("Dear Sir or Madam,\n" * 100)

    assert code(ann.new_media(media, "letter.mp4")) == wording.OK
    told = ann.told("transcoder_send_alert", media)

    assert told["status"] == "1"
    assert code(ann.request_formats(media, [11])) == wording.BAD_MEDIA


def test_a_media_that_failed_may_be_handed_over_again(place: Place, ann: Client, numbers: Iterator[int]) -> None:
    media, name = next(numbers), place.film_named("late.mp4")
    ann.site.go_wrong(name, Fault.NOT_FOUND)
    ann.new_media(media, name)
    ann.told("transcoder_send_alert", media)

    life.check_metadata(life.hand_over(ann, media, name), size=len(place.film))


@pytest.mark.parametrize(
    "fault", [Fault.ERROR, Fault.DOWN, Fault.REFUSE, Fault.WRONG_ANSWER, Fault.EMPTY, Fault.CUT_OFF, Fault.REDIRECT]
)
def test_a_callback_that_went_wrong_comes_again_until_it_is_taken(
    place: Place, ann: Client, numbers: Iterator[int], fault: Fault
) -> None:
    media = next(numbers)
    ann.site.go_wrong(f"transcoder_send_metadata/{media}", fault)

    life.check_metadata(life.hand_over(ann, media, "film.mp4"), size=len(place.film))

    calls = ann.site.calls("ann", "transcoder_send_metadata", id=media)
    assert [effective(call) for call in calls] == [False, True]
    assert calls[0]["parameters"] == calls[1]["parameters"]


def test_a_callback_is_never_led_to_the_loopback(ann: Client, numbers: Iterator[int]) -> None:
    media = next(numbers)
    ann.site.go_wrong(f"transcoder_send_metadata/{media}", Fault.REDIRECT_TO_LOOPBACK)

    life.hand_over(ann, media, "film.mp4")

    calls = ann.site.calls("ann", "transcoder_send_metadata", id=media)
    assert {call["host"] for call in calls} == {SITE_ADDRESS}


def test_an_alert_that_the_client_does_not_know_is_not_repeated(
    place: Place, ann: Client, numbers: Iterator[int]
) -> None:
    media, name = next(numbers), place.film_named("missing.mp4")
    ann.site.go_wrong(name, Fault.NOT_FOUND, FOREVER)
    ann.site.go_wrong(f"transcoder_send_alert/{media}", Fault.UNKNOWN_ACTION, FOREVER)

    ann.new_media(media, name)
    other, other_name = next(numbers), place.film_named("missing-too.mp4")
    ann.site.go_wrong(other_name, Fault.NOT_FOUND, FOREVER)
    ann.site.go_wrong(f"transcoder_send_alert/{other}", Fault.ERROR)
    ann.new_media(other, other_name)
    ann.told("transcoder_send_alert", other)  # its second try is later than one of the first media's would be

    assert len(ann.site.calls("ann", "transcoder_send_alert", id=media)) == 1


def test_a_format_callback_whose_answer_was_lost_comes_again_with_the_same_words(
    ann: Client, numbers: Iterator[int]
) -> None:
    media = next(numbers)
    life.hand_over(ann, media, "film.mp4")
    ann.site.go_wrong(f"transcoder_send_format/{media}", Fault.CUT_OFF)

    life.order(ann, media, [71], "name[]=")
    result = life.receive(ann, media, 71)

    calls = ann.site.calls("ann", "transcoder_send_format", id=media)
    assert [json.loads(call["parameters"]["metadata"]) for call in calls] == [result.told["metadata"]] * 2
