"""A download is continued only on proof."""

import pytest

from omkt_api.resuming import Range, backoff, content_length, content_range, validator

SENT = "Thu, 01 Jan 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "proof"),
    [
        ({"etag": '"abc"'}, '"abc"'),
        ({"etag": 'W/"abc"'}, None),
        ({"etag": "abc"}, None),
        ({"etag": '"a", "b"'}, None),
        ({}, None),
        ({"last-modified": "Thu, 01 Jan 2026 11:00:00 GMT", "date": SENT}, "Thu, 01 Jan 2026 11:00:00 GMT"),
        ({"last-modified": "Thu, 01 Jan 2026 11:59:30 GMT", "date": SENT}, None),
        ({"last-modified": "Thu, 01 Jan 2026 11:00:00 GMT"}, None),
        ({"last-modified": "yesterday", "date": SENT}, None),
        ({"etag": 'W/"abc"', "last-modified": "Thu, 01 Jan 2026 11:00:00 GMT", "date": SENT}, None),
    ],
)
def test_only_strong_validators_prove_that_a_file_is_the_same(headers: dict[str, str], proof: str | None) -> None:
    assert validator(headers) == proof


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("bytes 5-9/10", Range(first=5, last=9, total=10)),
        ("bytes 5-9/*", Range(first=5, last=9, total=None)),
        ("bytes 9-5/10", None),
        ("bytes 5-10/10", None),
        ("bytes */10", None),
        ("items 5-9/10", None),
        ("", None),
        ("bytes 5-9/99999999999999999999", None),
    ],
)
def test_a_content_range_is_read_strictly(value: str, part: Range | None) -> None:
    assert content_range({"content-range": value}) == part


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ({"content-length": "10"}, 10),
        ({"content-length": "-1"}, None),
        ({"content-length": "1e3"}, None),
        ({"content-length": "10", "transfer-encoding": "chunked"}, None),
        ({}, None),
    ],
)
def test_the_announced_length_is_digits_or_nothing(headers: dict[str, str], length: int | None) -> None:
    assert content_length(headers) == length


def test_waits_between_tries_grow_and_stay_bounded() -> None:
    waits = [backoff(tries) for tries in range(20)]
    assert waits == sorted(waits)
    assert waits[-1] == 30.0
