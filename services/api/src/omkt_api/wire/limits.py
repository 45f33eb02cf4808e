"""Calls in a rolling time, by caller: as the original counts, but in memory and also for calls that fail."""

import time
from collections import deque
from collections.abc import Callable, Hashable

_CALLERS_KEPT = 10_000


class CallLimit:
    """At most `calls` of one caller in any `seconds`. For one process; thread-safe as far as it needs to be exact."""

    def __init__(self, calls: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._calls, self._seconds, self._clock = calls, seconds, clock
        self._seen: dict[Hashable, deque[float]] = {}

    def full(self, who: Hashable) -> bool:
        """Whether the caller has no call left."""
        oldest = self._clock() - self._seconds
        return sum(one > oldest for one in self._seen.get(who, ())) >= self._calls

    def take(self, who: Hashable) -> bool:
        """Count a call; False when it is one too many, which is not counted."""
        now = self._clock()
        if who not in self._seen and len(self._seen) >= _CALLERS_KEPT:
            self._forget(now)
        seen = self._seen.setdefault(who, deque())
        while seen and seen[0] <= now - self._seconds:
            seen.popleft()
        if len(seen) >= self._calls:
            return False
        seen.append(now)
        return True

    def _forget(self, now: float) -> None:
        """Let go of callers who were quiet; of all, when none was: memory is bounded whoever calls."""
        self._seen = {who: seen for who, seen in self._seen.items() if seen and seen[-1] > now - self._seconds}
        if len(self._seen) >= _CALLERS_KEPT:
            self._seen.clear()
