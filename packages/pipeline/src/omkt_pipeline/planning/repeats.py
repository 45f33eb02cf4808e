"""Outputs that exist already: what is asked for again, of the same source in the same way, is not made a second time."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from omkt_pipeline.domain.plan import PlannedTask
from omkt_pipeline.domain.preset import Preset
from omkt_pipeline.domain.recipe import PackageAgain
from omkt_pipeline.domain.task import TaskKind
from omkt_pipeline.planning.worth import Sampled

#: What a preset is called changes nothing of what it makes.
_NAMES = frozenset({"id", "title", "description", "version"})
#: Giving files a second name takes no time to speak of.
_COST = 0.1
#: Workers that know how to repeat an output.
_SPEC_VERSION = 4


@dataclass(frozen=True, kw_only=True)
class Existing:
    """The outputs that exist of a source: their rows, by recipe; the farm's ffmpeg, which would make new ones; and what samples
    took that were encoded for ladders that shall fit the source, by output."""

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


def again(preset: Preset, output_id: int) -> PlannedTask:
    """The task that delivers what another job of the same source has made already."""
    return PlannedTask(
        key=f"package-{preset.id}",
        kind=TaskKind.PACKAGE,
        spec=PackageAgain(output=preset.id, of=output_id).model_dump(mode="json"),
        cost=_COST,
        output=preset.id,
        spec_version=_SPEC_VERSION,
    )
