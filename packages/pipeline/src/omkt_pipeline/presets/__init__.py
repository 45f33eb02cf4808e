"""The presets that come with the farm, as YAML beside this file, and how they are read."""

from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from omkt_pipeline.domain.preset import Preset

_adapter: TypeAdapter[Preset] = TypeAdapter(Preset)


def shipped() -> Mapping[str, Preset]:
    """The presets of this package by id. Raises ValueError for one that does not parse."""
    folder = resources.files(__name__)
    return _by_id((entry.name, entry.read_text()) for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def from_folder(folder: Path) -> Mapping[str, Preset]:
    """An operator's own presets by id. Raises ValueError for one that does not parse."""
    return _by_id((path.name, path.read_text()) for path in sorted(folder.glob("*.yaml")))


def _by_id(files: Iterable[tuple[str, str]]) -> Mapping[str, Preset]:
    presets: dict[str, Preset] = {}
    for name, text in sorted(files):
        try:
            preset = _adapter.validate_python(yaml.safe_load(text))
        except (yaml.YAMLError, ValidationError) as error:
            raise ValueError(f"preset {name}: {error}") from error
        if name != f"{preset.id}.yaml":
            raise ValueError(f"preset {name}: the file must be called {preset.id}.yaml")
        presets[preset.id] = preset
    return presets
