"""Which bytes are sent, by RFC 9110."""

import pytest

from omkt_api.ranges import Slice, choose

TAG = '"abc"'


def chosen(method: str = "GET", *, size: int = 100, **headers: str) -> tuple[int, int, int]:
    part = choose(method, {name.replace("_", "-"): value for name, value in headers.items()}, size=size, etag=TAG)
    return part.status, part.start, part.stop


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("bytes=0-9", (206, 0, 10)),
        ("bytes=0-0", (206, 0, 1)),
        ("bytes=90-", (206, 90, 100)),
        ("bytes=99-99", (206, 99, 100)),
        ("bytes=0-99", (206, 0, 100)),
        ("bytes=50-1000", (206, 50, 100)),
        ("bytes=-10", (206, 90, 100)),
        ("bytes=-1000", (206, 0, 100)),
        ("Bytes=0-9", (206, 0, 10)),
    ],
)
def test_a_range_inside_the_file_is_sent_alone(wanted: str, expected: tuple[int, int, int]) -> None:
    assert chosen(range=wanted) == expected


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=999999999999999999-"])
def test_a_range_beyond_the_file_is_refused(wanted: str) -> None:
    assert chosen(range=wanted)[0] == 416


def test_no_range_of_an_empty_file_can_be_sent() -> None:
    assert chosen(size=0, range="bytes=0-")[0] == 416
    assert chosen(size=0, range="bytes=-1")[0] == 416


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=9-0",
        "bytes=-",
        "bytes=a-b",
        "lines=0-9",
        "bytes=0-1,5-6",
        "bytes",
        "bytes=+1-2",
        "bytes=" + "9" * 5000 + "-",
    ],
)
def test_what_is_no_single_range_is_as_if_it_were_not_there(wanted: str) -> None:
    assert chosen(range=wanted) == (200, 0, 100)


def test_head_is_answered_as_if_without_range() -> None:
    assert chosen("HEAD", range="bytes=0-9") == (200, 0, 100)


@pytest.mark.parametrize("condition", [TAG, f"W/{TAG}", f'"other", {TAG}', "*"])
def test_a_client_that_has_the_file_gets_nothing(condition: str) -> None:
    assert chosen(if_none_match=condition) == (304, 0, 0)
    assert chosen("HEAD", if_none_match=condition, range="bytes=0-9") == (304, 0, 0)


def test_a_client_that_has_another_file_gets_this_one() -> None:
    assert chosen(if_none_match='"other", "abcd"') == (200, 0, 100)


def test_a_range_of_another_version_is_answered_with_the_whole_file() -> None:
    assert chosen(range="bytes=0-9", if_range=TAG) == (206, 0, 10)
    assert chosen(range="bytes=0-9", if_range='"other"') == (200, 0, 100)
    assert chosen(range="bytes=0-9", if_range=f"W/{TAG}") == (200, 0, 100)
    assert chosen(range="bytes=0-9", if_range="Wed, 21 Oct 2026 07:28:00 GMT") == (200, 0, 100)


def test_a_slice_knows_its_length() -> None:
    assert Slice(status=206, start=10, stop=30).length == 20
