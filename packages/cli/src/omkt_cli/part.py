"""A part of a film as people write it: 12.5-27, 1:05-, 0:30-1:02:03.5."""

import re
from collections.abc import Sequence
from typing import Any

_MOMENT = r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)"
_PART = re.compile(rf"\s*(?:{_MOMENT})?\s*-\s*(?:{_MOMENT})?\s*")


def read_part(text: str) -> dict[str, float]:
    """The `trim` setting that a text means. Raises ValueError for one that means none."""
    found = _PART.fullmatch(text)
    if found is None or text.strip() == "-":
        raise ValueError(
            f"{text!r} is no part of a film: write START-END, such as 12.5-27 or 1:05-2:00 (or START-, -END)"
        )
    begin, end = (_seconds(found.groups()[at : at + 3]) for at in (0, 3))
    if end is not None and end <= (begin or 0.0):
        raise ValueError(f"{text!r} ends before it begins")
    return {"start": begin or 0.0} | ({"end": end} if end is not None else {})


def trimmed(presets: Sequence[str], part: dict[str, float] | None) -> list[Any]:
    """What to ask for, so that each preset makes only this part."""
    if part is None:
        return list(presets)
    return [{"preset": preset, "settings": {"trim": part}} for preset in presets]


def _seconds(parts: Sequence[str | None]) -> float | None:
    hours, minutes, seconds = parts
    return None if seconds is None else int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds)
