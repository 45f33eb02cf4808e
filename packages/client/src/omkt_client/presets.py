"""Presets: what can be made, and, for operators, what more can be."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from omkt_client.call import NOTHING, Call, path
from omkt_client.models import Preset, Presets

_PRESET, _PRESETS = TypeAdapter(Preset), TypeAdapter(Presets)


def all_of_them() -> Call[Presets]:
    """The presets of the farm."""
    return Call(method="GET", path=path("presets"), answer=_PRESETS)


def get(preset: str) -> Call[Preset]:
    """One preset with all its settings."""
    return Call(method="GET", path=path("presets", preset), answer=_PRESET)


def put(
    preset: str,
    settings: Mapping[str, Any],
    *,
    kind: str | None = None,
    extends: str | None = None,
    title: str = "",
) -> Call[Preset]:
    """Add a preset of the farm's own, or change it. For admins."""
    body = {"extends": extends, "kind": kind, "title": title, "settings": dict(settings)}
    said = {name: value for name, value in body.items() if value is not None}
    return Call(method="PUT", path=path("presets", preset), answer=_PRESET, body=said)


def remove(preset: str) -> Call[None]:
    """Remove a preset of the farm's own. Jobs that are planned with it go on. For admins."""
    return Call(method="DELETE", path=path("presets", preset), answer=NOTHING)
