"""How fast a worker is: planned CPU seconds of encoding that it finishes in a second. Pure bookkeeping."""

from dataclasses import dataclass

#: How much the newest task counts.
_NEWEST = 0.3
#: Shorter tasks say more about starting than about encoding.
_LEAST_SECONDS = 1.0


@dataclass
class Speed:
    """A moving average over the tasks of one worker."""

    value: float | None = None

    def finished(self, cost: float, seconds: float, *, at_once: int) -> None:
        """Note a task that ended well after so many seconds, with `at_once` tasks running beside each other."""
        if seconds < _LEAST_SECONDS or cost <= 0:
            return
        now = cost / seconds * max(1, at_once)
        self.value = now if self.value is None else (1 - _NEWEST) * self.value + _NEWEST * now
