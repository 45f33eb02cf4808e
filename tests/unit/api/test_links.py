"""Signed links: nobody makes, alters or keeps one beyond its time."""

import base64

import pytest

from omkt_api.links import LIFE_SECONDS, Links
from omkt_pipeline.domain.errors import NotFound

JOB = "abcdefghijklmnopqrstuvwxyz"
NOW = 1_800_000_123.0
LINKS = Links(b"0123456789abcdef")


def test_a_link_opens_what_it_was_made_for() -> None:
    link = LINKS.read(LINKS.token(JOB, "hls-h264", now=NOW), now=NOW)

    assert (link.job_key, link.output_key) == (JOB, "hls-h264")


def test_a_link_is_the_same_for_a_while_so_that_players_can_cache() -> None:
    assert LINKS.token(JOB, "a", now=NOW) == LINKS.token(JOB, "a", now=NOW + 60)


def test_a_link_holds_for_a_day_and_an_hour_at_most() -> None:
    token = LINKS.token(JOB, "a", now=NOW)

    LINKS.read(token, now=NOW + LIFE_SECONDS - 1)
    with pytest.raises(NotFound) as caught:
        LINKS.read(token, now=NOW + LIFE_SECONDS + 3600)
    assert caught.value.code == "link_expired"


def test_no_letter_of_a_link_can_be_changed() -> None:
    token = LINKS.token(JOB, "mp4", now=NOW)
    for place, letter in enumerate(token):
        for other in "Aa-_.":
            if other != letter:
                with pytest.raises(NotFound):
                    LINKS.read(token[:place] + other + token[place + 1 :], now=NOW)


def test_the_link_of_another_farm_is_none_of_ours() -> None:
    with pytest.raises(NotFound):
        LINKS.read(Links(b"another key 1234").token(JOB, "mp4", now=NOW), now=NOW)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "a",
        "a.b",
        "é.é",
        "AAAA.",
        "\x00",
        "=" * 500,
        "A" * 100_000,
        base64.b64encode(JOB.encode()).decode() + ".x",
    ],
)
def test_what_is_no_link_is_refused(token: str) -> None:
    with pytest.raises(NotFound) as caught:
        LINKS.read(token, now=NOW)
    assert caught.value.code == "link_invalid"
