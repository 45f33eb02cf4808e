"""How fast a job goes, and when it will be there: reckoned from what its tasks report, for people who wait."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from omkt_pipeline.domain.job import Pace
from omkt_pipeline.domain.task import TaskKind

#: Before so much is done, what is left cannot be told from it.
_KNOWN_FROM = 0.03


def pace(
    steps: Sequence[Row[Any]],
    facts: Mapping[str, Any] | None,
    *,
    progress: float,
    begun: datetime | None,
    clock: datetime,
) -> Pace:
    """The pace of a running job whose first step was claimed at `begun`; `clock` is the database's present.

    Waiting counts as slowness: speed and what is left are those of this job among all others.
    """
    encodes = [step for step in steps if step.kind == TaskKind.ENCODE]
    whole = sum(step.cost for step in encodes)
    part = sum(step.cost * step.progress for step in encodes) / whole if whole else 0.0
    since = (clock - min(step.created_at for step in encodes)).total_seconds() if encodes else 0.0
    video: Mapping[str, Any] = next(iter((facts or {}).get("video") or ()), {})
    counted = video.get("counted_frames") or video.get("frames")
    seconds = float((facts or {}).get("duration") or 0.0)
    elapsed = (clock - begun).total_seconds() if begun is not None else 0.0
    return Pace(
        frames=round(part * counted) if counted and encodes else None,
        speed=round(part * seconds / since, 3) if part >= _KNOWN_FROM and since > 0 and seconds else None,
        seconds_left=round(elapsed * (1 - progress) / progress, 1) if progress >= _KNOWN_FROM and elapsed > 0 else None,
    )
