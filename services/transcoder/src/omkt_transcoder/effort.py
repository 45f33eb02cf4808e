"""What encoding took."""

from collections.abc import Mapping, Sequence
from typing import Any

_CPU = "cpu_seconds"
_PEAK = "peak_memory_bytes"


def effort_of(facts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What several encodes took together, with what they warn of."""
    return {
        "ffmpeg": ", ".join(sorted({str(fact.get("ffmpeg")) for fact in facts})),
        _CPU: round(sum(float(fact.get(_CPU, 0.0)) for fact in facts), 2),
        _PEAK: max((int(fact.get(_PEAK, 0)) for fact in facts), default=0),
        "warnings": sorted({warning for fact in facts for warning in fact.get("warnings", ())}),
    }
