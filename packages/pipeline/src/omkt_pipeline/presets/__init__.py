"""The presets that come with the farm, as YAML beside this file, and how they are read.

A file may say `extends: NAME`: it then begins with what that file of the same set says, and changes what it names itself.
Files whose name begins with an underscore are there to be extended and cannot be asked for.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from omkt_pipeline.domain.job import Variation
from omkt_pipeline.domain.preset import Preset
from omkt_pipeline.presets.text import text_of

_adapter: TypeAdapter[Preset] = TypeAdapter(Preset)
_ENDING = ".yaml"
_LONGEST_CHAIN = 8


def shipped() -> Mapping[str, Preset]:
    """The presets of this package by id. Raises ValueError for one that does not parse."""
    return _by_id(_yaml_below(resources.files(__name__)))


def from_folder(folder: Path) -> Mapping[str, Preset]:
    """An operator's own presets by id. Raises ValueError for one that does not parse."""
    return _by_id((path.name, path.read_text()) for path in sorted(folder.glob(f"*{_ENDING}")))


def written(name: str, said: Mapping[str, Any], known: Mapping[str, Preset]) -> Preset:
    """A preset that somebody wrote, by its id; it may extend a known one. Raises ValueError with what is wrong where."""
    base: dict[str, Any] = {}
    if (extended := said.get("extends")) is not None:
        if not isinstance(extended, str) or extended not in known:
            raise ValueError(f"It extends {str(extended)[:64]!r}, which does not exist.")
        base = known[extended].model_dump(mode="json", exclude={"id", "version", "title", "omkt"})
    own = {key: value for key, value in said.items() if key not in ("extends", "id", "version")}
    if own.get("omkt"):
        raise ValueError("Numbers of the original belong to the presets that come with the farm.")
    try:
        preset = _adapter.validate_python({**_merged(base, own), "id": name, "version": 1})
    except ValidationError as error:
        raise ValueError("; ".join(_fault(one) for one in error.errors(include_url=False)[:8])) from error
    return preset if preset.title else preset.model_copy(update={"title": text_of(preset)})


def varied(variation: Variation, known: Mapping[str, Preset]) -> Preset:
    """A preset as one job wants it. Raises ValueError with what is wrong where; the preset must be known."""
    made = written(variation.id, {**variation.settings, "extends": variation.preset}, known)
    return made.model_copy(update={"version": known[variation.preset].version})


def _fault(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    return f"{where}: {error['msg']}" if where else str(error["msg"])


def _yaml_below(folder: Traversable) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _yaml_below(entry)
        elif entry.name.endswith(_ENDING):
            yield entry.name, entry.read_text()


def _by_id(files: Iterable[tuple[str, str]]) -> Mapping[str, Preset]:
    presets: dict[str, Preset] = {}
    said = {name.removesuffix(_ENDING): _said(name, text) for name, text in sorted(files)}
    for name in said:
        if name.startswith("_"):
            continue
        try:
            preset = _adapter.validate_python(_whole(name, said))
        except ValidationError as error:
            raise ValueError(f"preset {name}{_ENDING}: {error}") from error
        if name != preset.id:
            raise ValueError(f"preset {name}{_ENDING}: the file must be called {preset.id}{_ENDING}")
        presets[preset.id] = preset if preset.title else preset.model_copy(update={"title": text_of(preset)})
    return presets


def _said(name: str, text: str) -> dict[str, Any]:
    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"preset {name}: {error}") from error
    if not isinstance(said, dict):
        raise ValueError(f"preset {name}: a preset is a mapping of names to values")
    return said


def _whole(name: str, said: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """What a file says together with all that it extends. Raises ValueError for a missing or circular one."""
    chain = [said[name]]
    while (base := chain[-1].get("extends")) is not None:
        if base not in said:
            raise ValueError(f"preset {name}{_ENDING}: it extends {base!r}, which does not exist")
        if len(chain) == _LONGEST_CHAIN:
            raise ValueError(
                f"preset {name}{_ENDING}: it extends itself, or more than {_LONGEST_CHAIN} others in a row"
            )
        chain.append(said[base])
    whole: dict[str, Any] = {}
    for one in reversed(chain):
        whole = _merged(whole, {key: value for key, value in one.items() if key != "extends"})
    return whole


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Mappings are merged name by name; anything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        known = merged.get(key)
        merged[key] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged
