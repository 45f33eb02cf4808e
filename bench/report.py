"""What a benchmark found: one line for people, one JSON file for machines, each figure beside its target."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number. A target is a bound from one side; without one the number is only told."""

    name: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None when there is none."""
        if self.at_most is not None:
            return self.value <= self.at_most
        if self.at_least is not None:
            return self.value >= self.at_least
        return None

    def __str__(self) -> str:
        words = f"{self.name} {_short(self.value)}{self.unit}"
        if self.met is None:
            return words
        sign, bound = ("≤", self.at_most) if self.at_most is not None else ("≥", self.at_least)
        return f"{words} ({sign} {_short(bound or 0.0)}: {'met' if self.met else 'MISSED'})"


def report(name: str, figures: Sequence[Figure], details: Mapping[str, Any]) -> None:
    """Print the line and write results/NAME.json."""
    print(f"{name}: {', '.join(map(str, figures))}", flush=True)
    RESULTS.mkdir(exist_ok=True)
    content = {
        "benchmark": name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": len(os.sched_getaffinity(0)), "kernel": platform.release(), "load": os.getloadavg()},
        "figures": [{**asdict(figure), "met": figure.met} for figure in figures],
        "details": details,
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100).__trunc__() - 1)]


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
