"""Outputs that exist already: what is asked for again, of the same source in the same way, is not made a second time."""

from omkt_pipeline.domain.plan import PlannedTask
from omkt_pipeline.domain.preset import Preset
from omkt_pipeline.domain.recipe import PackageAgain
from omkt_pipeline.domain.task import TaskKind

#: Giving files a second name takes no time to speak of.
_COST = 0.1
#: Workers that know how to repeat an output.
_SPEC_VERSION = 4


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
