"""Rate limits: a burst, then the rate; each on their own; memory that is bounded."""

import pytest

from omkt_api import rates
from omkt_api.rates import Buckets, RateLimited


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_after_the_burst_comes_the_rate() -> None:
    clock = Clock()
    buckets = Buckets(2.0, clock)
    for left in range(19, -1, -1):
        standing = buckets.take("a")
        assert standing is not None
        assert (standing.limit, standing.remaining) == (20, left)
    with pytest.raises(RateLimited) as refused:
        buckets.take("a")
    assert refused.value.retry_after == 1
    clock.now += 0.5
    buckets.take("a")
    with pytest.raises(RateLimited):
        buckets.check("a")


def test_one_who_asks_too_much_takes_nothing_from_another() -> None:
    buckets = Buckets(0.1, Clock())
    buckets.take("a")
    with pytest.raises(RateLimited):
        buckets.take("a")
    assert buckets.take("b") is not None


def test_to_look_costs_nothing_and_a_bucket_does_not_overflow() -> None:
    clock = Clock()
    buckets = Buckets(1.0, clock)
    for _ in range(100):
        buckets.check("a")
    clock.now += 3600
    standing = buckets.take("a")
    assert standing is not None
    assert standing.remaining == 9


def test_without_a_rate_there_is_no_limit() -> None:
    assert Buckets(0.0).take("a") is None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_BUCKETS_KEPT", 10)
    buckets = Buckets(1.0, Clock())
    for number in range(1000):
        buckets.take(number)
    assert len(buckets._known) <= 10
