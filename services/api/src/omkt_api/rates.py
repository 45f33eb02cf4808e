"""Rate limits: a bucket of tokens for each account, and one for each address that sends wrong keys. In memory, by process."""

import math
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from omkt_pipeline.domain.errors import Refused

_BUCKETS_KEPT = 10_000
#: Wrong keys of one address: enough for a typing error in a script, too few to try any.
WRONG_KEYS_PER_SECOND = 10.0
#: How many seconds' worth of requests may come at once.
BURST_SECONDS = 10.0


class RateLimited(Refused):
    """Too many requests. Wait a moment."""

    code = "rate_limited"

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"Too many requests. Try again in {math.ceil(retry_after)} s.")
        self.retry_after = max(1, math.ceil(retry_after))


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where somebody stands after a request."""

    limit: int
    remaining: int
    reset_seconds: int  #: until the bucket is full again

    def headers(self) -> dict[str, str]:
        """As clients of other services know them."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }


class Buckets:
    """Buckets that fill by `per_second` tokens up to ten seconds' worth. 0 sets no limit."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_second
        self._size = max(1.0, per_second * BURST_SECONDS)
        self._clock = clock
        self._known: dict[Hashable, tuple[float, float]] = {}

    def check(self, who: Hashable) -> None:
        """Raise RateLimited when there is no token; take none."""
        if self._rate and (level := self._level(who)) < 1:
            raise RateLimited((1 - level) / self._rate)

    def take(self, who: Hashable) -> Standing | None:
        """Take a token; return where that leaves them, None without a limit. Raises RateLimited."""
        if not self._rate:
            return None
        self.check(who)
        level = self._level(who) - 1
        if who not in self._known and len(self._known) >= _BUCKETS_KEPT:
            self._forget()
        self._known[who] = (level, self._clock())
        return Standing(
            limit=int(self._size), remaining=int(level), reset_seconds=math.ceil((self._size - level) / self._rate)
        )

    def _level(self, who: Hashable) -> float:
        level, at = self._known.get(who, (self._size, 0.0))
        return min(self._size, level + (self._clock() - at) * self._rate)

    def _forget(self) -> None:
        """Let go of full buckets; of all, when none is full: memory is bounded whoever asks."""
        self._known = {who: one for who, one in self._known.items() if self._level(who) < self._size}
        if len(self._known) >= _BUCKETS_KEPT:
            self._known.clear()
