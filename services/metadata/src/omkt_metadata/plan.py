"""plan: turn facts and presets into tasks."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from omkt_pipeline.domain.capacity import Capacity, ChunkRules
from omkt_pipeline.domain.effects import Planned, Settlement
from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.job import Variation
from omkt_pipeline.domain.media import SourceFile, StoredMedia
from omkt_pipeline.domain.preset import Preset
from omkt_pipeline.domain.recipe import StagedFolder
from omkt_pipeline.domain.task import Task
from omkt_pipeline.media.encoders import encoders_for
from omkt_pipeline.media.tools import Tools
from omkt_pipeline.planning.known import Known
from omkt_pipeline.planning.plan import plan_job, skipped_all
from omkt_pipeline.planning.sampling import sampling, taken
from omkt_pipeline.presets import varied

if TYPE_CHECKING:
    from omkt_pipeline.worker import TaskContext


class Plan:
    """The handler of plan tasks."""

    def __init__(
        self,
        *,
        presets: Mapping[str, Preset],
        media_of: Callable[[Task], StoredMedia],
        presets_of: Callable[[Task], tuple[str | Variation, ...]],
        made_of: Callable[[Task], Mapping[str, int]] = lambda _: {},
        inputs_of: Callable[[Task], Mapping[str, StagedFolder]] = lambda _: {},
        capacity: Callable[[], Capacity] = Capacity,
        rules: Callable[[], ChunkRules] = ChunkRules,
        tools: Tools | None = None,
    ) -> None:
        self._presets, self._media_of, self._presets_of, self._made_of = presets, media_of, presets_of, made_of
        self._inputs_of, self._capacity, self._rules = inputs_of, capacity, rules
        self._tools = tools

    def __call__(self, ctx: "TaskContext") -> Settlement:
        """Plan the task's job. Raises SourceError when no preset can be made of this source, or one is gone."""
        media = self._media_of(ctx.task)
        if media.facts is None:
            raise SourceError("Nothing is known of the source yet.", code="source_unprobed")
        wanted = self._presets_of(ctx.task)
        source = SourceFile(path=media.path, bytes=media.bytes)
        chosen = [self._chosen(one) for one in wanted]
        impossible = self._without_encoder(chosen)
        build = self._tools.version if self._tools is not None else ""
        sampled = taken(self._inputs_of(ctx.task)) if ctx.task.spec.get("sampled") else {}
        known = Known(rows=self._made_of(ctx.task), build=build, sampled=sampled)
        if not ctx.task.spec.get("sampled"):
            new = [one for one in chosen if one.id not in impossible and known.row_of(one) is None]
            first = sampling(media.facts, source, new, spec=ctx.task.spec)
            if first is not None:
                return Settlement(effect=Planned(plan=first))
        try:
            plan = plan_job(
                media.facts,
                source,
                chosen,
                capacity=self._capacity(),
                rules=self._rules(),
                impossible=impossible,
                bases={one.id: one.preset for one in wanted if isinstance(one, Variation)},
                known=known,
            )
        except SourceError as refusal:
            if "presets" not in ctx.task.spec:
                raise
            plan = skipped_all(chosen, refusal)  # the job has other outputs, and does not fail for these
        return Settlement(effect=Planned(plan=plan))

    def _chosen(self, wanted: str | Variation) -> Preset:
        name = wanted if isinstance(wanted, str) else wanted.preset
        if name not in self._presets:
            raise SourceError(f"There is no preset {name}.", code="preset_unknown")
        if isinstance(wanted, str):
            return self._presets[name]
        try:
            return varied(wanted, self._presets)
        except ValueError as error:  # it was checked when it came, and the preset has changed since
            raise SourceError(
                f"{wanted.id} cannot be made of {name} any more: {error}", code="preset_invalid"
            ) from error

    def _without_encoder(self, chosen: Sequence[Preset]) -> dict[str, SourceError]:
        """Presets that this farm's ffmpeg cannot make, and why."""
        tools = self._tools
        if tools is None:
            return {}
        lacking = {preset.id: [name for name in sorted(encoders_for(preset)) if tools.lacks(name)] for preset in chosen}
        return {
            preset: SourceError(
                f"{preset} needs {', '.join(names)}, which the farm's ffmpeg has not. Ask the operator for another build.",
                code="preset_unavailable",
            )
            for preset, names in lacking.items()
            if names
        }
