"""Asked before every claim of a host that works on another host's share: is it fit?"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from omkt_pipeline.domain.finding import Finding

_AGAIN_SECONDS = 30.0


@dataclass
class ShareGate:
    """Examines the share until it is fit, and then no more: what is wrong with a mount does not come later."""

    examine: Callable[[], Sequence[Finding]]
    clock: Callable[[], float] = time.monotonic
    _examined: float = field(default=float("-inf"))
    _reason: str | None = "the share was not examined yet"

    def why_closed(self) -> str | None:
        """The first fault, with its cure, or None."""
        if self._reason is not None and self.clock() - self._examined >= _AGAIN_SECONDS:
            self._reason = next((str(finding) for finding in self.examine() if not finding.fine), None)
            self._examined = self.clock()
        return self._reason
