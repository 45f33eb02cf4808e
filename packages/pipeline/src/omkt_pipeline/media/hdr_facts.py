"""What ffprobe's side data says of HDR."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from omkt_pipeline.domain.media import Mastering

Raw = Mapping[str, Any]

_DISPLAY = (
    "red_x", "red_y", "green_x", "green_y", "blue_x", "blue_y", "white_point_x", "white_point_y",
    "max_luminance", "min_luminance",
)  # fmt: skip
_BRIGHTEST = 65535  #: cd/m² that CTA-861.3 can say


def mastering_of(places: Iterable[Raw]) -> Mastering | None:
    """HDR10's static metadata from a stream or its first frames, or None. Values that make no sense are left out."""
    display: tuple[float, ...] | None = None
    light: tuple[int, int] | None = None
    for data in (data for place in places for data in place.get("side_data_list") or []):
        if display is None and all(name in data for name in _DISPLAY):
            display = _sensible(tuple(_number(data[name]) for name in _DISPLAY))
        if light is None and "max_content" in data:
            light = _light(data.get("max_content")), _light(data.get("max_average"))
    if display is None and not (light and any(light)):
        return None
    content, average = light or (0, 0)
    return Mastering(display=display, max_content=content or None, max_average=average or None)


def dolby_vision_of(stream: Raw) -> int | None:
    """The profile of a Dolby Vision configuration, or None."""
    for data in stream.get("side_data_list") or []:
        if "dv_profile" in data:
            return int(data["dv_profile"])
    return None


def _sensible(values: tuple[float, ...]) -> tuple[float, ...] | None:
    *points, most, least = values
    inside = all(0.0 < point <= 1.0 for point in points) and 0.0 <= least < most <= _BRIGHTEST
    return tuple(round(value, 5) for value in values) if inside else None


def _number(text: Any) -> float:
    try:
        return float(Fraction(str(text)))
    except (ValueError, ZeroDivisionError):
        return -1.0


def _light(text: Any) -> int:
    value = _number(text)
    return round(value) if 0 < value <= _BRIGHTEST else 0
