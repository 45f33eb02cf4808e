"""What encoding took."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omkt_pipeline.media.tools import Tools

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


def effort(tools: Tools, cpu_seconds: float, peak_rss: int) -> dict[str, Any]:
    """What one run of ffmpeg took."""
    return {"ffmpeg": tools.version, _CPU: round(cpu_seconds, 2), _PEAK: peak_rss}


@dataclass(frozen=True, kw_only=True)
class FirstPass:
    """What a first pass took."""

    passes: int = 0
    cpu_seconds: float = 0.0
    peak_rss: int = 0

    def second(self, report: Callable[[float], None]) -> Callable[[float], None]:
        """Where the progress of the second pass goes: it is half of the whole when there was a first."""
        return lambda done: report((self.passes + done) / (self.passes + 1))

    def effort(self, of_second: Mapping[str, Any]) -> dict[str, Any]:
        """What both took together."""
        return {
            **of_second,
            _CPU: round(of_second[_CPU] + self.cpu_seconds, 2),
            _PEAK: max(of_second[_PEAK], self.peak_rss),
        }
