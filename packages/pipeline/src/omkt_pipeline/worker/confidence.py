"""Does this worker fail everything? Then the fault is its own, and it steps aside instead of failing more."""

from dataclasses import dataclass, field

#: Different tasks that must fail in a row, none succeeding.
FAILURES_IN_A_ROW = 5
ASIDE_SECONDS = 600.0


@dataclass
class Confidence:
    """Pure bookkeeping; times are monotonic seconds given by the caller."""

    _failed: set[int] = field(default_factory=set)
    aside_until: float = 0.0

    def succeeded(self) -> None:
        """Something worked: the worker is sound."""
        self._failed.clear()

    def failed(self, task_id: int, now: float) -> bool:
        """Note a failure that may be the worker's fault; return True when it steps aside now."""
        self._failed.add(task_id)
        if len(self._failed) < FAILURES_IN_A_ROW or now < self.aside_until:
            return False
        self.aside_until = now + ASIDE_SECONDS
        # After the pause one more failure is enough.
        self._failed = set(sorted(self._failed)[-(FAILURES_IN_A_ROW - 1) :])
        return True

    def is_aside(self, now: float) -> bool:
        return now < self.aside_until
