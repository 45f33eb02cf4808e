"""The settings of the original: its 28 presets under their numbers, with the ten columns that clients store."""

from collections.abc import Iterable, Mapping
from typing import Any

from omkt_pipeline.domain.preset import FilmPreset, Omkt, Preset

#: A list box of a client offers a setting for media of this type. Audio settings take the sound out of a video.
_TYPE = "video"
_NO_PICTURE = "na"
_THUMBNAIL_LINES = 1080


def by_number(presets: Iterable[Preset]) -> Mapping[int, Preset]:
    """The presets that clients of the original know, by the original's numbers."""
    known = {preset.omkt.id: preset for preset in presets if preset.omkt is not None}
    return dict(sorted(known.items()))


def catalogue(presets: Mapping[int, Preset]) -> dict[str, dict[str, Any]]:
    """All settings by number. Exactly ten keys each: a client makes a column of each."""
    return {str(number): _setting(preset) for number, preset in presets.items()}


def _setting(preset: Preset) -> dict[str, Any]:
    known = preset.omkt
    assert known is not None  # noqa: S101 - by_number leaves others out
    lines = _lines(preset, known)
    return {
        "id": known.id,
        "type": _TYPE,
        "slug": known.slug,
        "name": known.slug.replace("_", " ").capitalize(),
        "technical": preset.title,
        "extension": known.extension,
        "recommend": 1 if known.recommended else None,
        "size_43": _box(lines, 4, 3),
        "size_169": _box(lines, 16, 9),
        "cardinality": known.cardinality,
    }


def _lines(preset: Preset, known: Omkt) -> int | None:
    if isinstance(preset, FilmPreset):
        return max(rung.size for rung in preset.video.rungs)
    return _THUMBNAIL_LINES if known.kind == "thumbnails" else None


def _box(lines: int | None, wide: int, high: int) -> str:
    """The largest picture of an aspect, with even sides."""
    return _NO_PICTURE if lines is None else f"{2 * round(lines * wide / high / 2)}x{lines}"
