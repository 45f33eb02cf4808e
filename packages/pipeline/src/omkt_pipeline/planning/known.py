"""What is known of a source from what was made of it before."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from omkt_pipeline.domain.preset import Preset
from omkt_pipeline.planning.worth import Sampled

#: What a preset is called changes nothing of what it makes.
_NAMES = frozenset({"id", "title", "description", "version"})


@dataclass(frozen=True, kw_only=True)
class Known:
    """What earlier work found out of a source.

    The outputs that exist of it: their rows, by recipe; the farm's ffmpeg, which would make new ones; and what samples took
    that were encoded for ladders that shall fit the source, by output.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    build: str = ""
    sampled: Mapping[str, Sampled] = field(default_factory=dict)

    def recipe(self, preset: Preset) -> str:
        """What a preset makes with this build, as a hash: equal for presets that make the same."""
        said = {"build": self.build, **preset.model_dump(mode="json", exclude=set(_NAMES))}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def row_of(self, preset: Preset) -> int | None:
        """The output that is the same as what this preset would make, if there is one."""
        return self.rows.get(self.recipe(preset))
