"""A first plan for ladders that shall fit their film: short samples of every rung at constant quality, and a second plan that
knows what they took."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from omkt_pipeline.domain.capacity import Capacity, ChunkRules
from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.media import MediaFacts, SourceFile
from omkt_pipeline.domain.plan import Plan, PlannedTask
from omkt_pipeline.domain.preset import FilmPreset, HlsPreset, Preset
from omkt_pipeline.domain.recipe import EncodeVideo, StagedFolder
from omkt_pipeline.domain.task import TaskKind
from omkt_pipeline.planning.chunks import part_of
from omkt_pipeline.planning.encodes import Encodes
from omkt_pipeline.planning.worth import Sampled

#: Where samples begin, as parts of the film: neither its titles nor its credits.
_PLACES = (0.2, 0.5, 0.8)
_SECONDS = 4.0
#: Planners that know a second plan from a first one.
_SPEC_VERSION = 5


def sampling(
    facts: MediaFacts, source: SourceFile, presets: Sequence[Preset], *, spec: Mapping[str, Any]
) -> Plan | None:
    """The samples that these presets ask for and the plan after them, whose `spec` says what it is of; None for no samples."""
    samples = [task for preset in presets for task in _samples_of(preset, facts, source)]
    if not samples:
        return None
    second = PlannedTask(
        key="-".join(("plan-sampled", *([samples[0].key] if spec else []))),
        kind=TaskKind.PLAN,
        spec={**spec, "sampled": True},
        needs=tuple(one.key for one in samples),
        spec_version=_SPEC_VERSION,
    )
    return Plan(outputs=(), tasks=(*samples, second))


def taken(inputs: Mapping[str, StagedFolder]) -> dict[str, Sampled]:
    """What samples took, in bits a second of each rendition, by the output for which they were taken."""
    bits: dict[str, dict[str, float]] = {}
    seconds: dict[str, dict[str, float]] = {}
    for key, staged in inputs.items():
        output = key.split(".")[1]
        for name, made in staged.facts["renditions"].items():
            for sums, amount in ((bits, made["bitrate"] * made["duration"]), (seconds, made["duration"])):
                sums.setdefault(output, {}).setdefault(name, 0.0)
                sums[output][name] += amount
    return {
        output: {name: total / max(seconds[output][name], 0.001) for name, total in of.items()}
        for output, of in bits.items()
    }


def _samples_of(preset: Preset, facts: MediaFacts, source: SourceFile) -> list[PlannedTask]:
    if not isinstance(preset, HlsPreset | FilmPreset) or preset.video.ladder != "auto":
        return []
    encodes = Encodes(facts, source, Capacity(), ChunkRules())
    try:
        if len(encodes.ladder(preset.video, preset.id, preset.trim)) < 2:
            return []
    except SourceError:  # the plan itself will say why it is skipped
        return []
    (film, *_), _ = encodes.tasks()
    whole = EncodeVideo.model_validate(film.spec)
    plain = [one.model_copy(update={"segment_frames": None, "quality": ()}) for one in whole.renditions]
    recipe = whole.model_copy(update={"renditions": tuple(plain)})
    return [
        film.model_copy(
            update={
                "key": f"sample.{preset.id}.{number}",
                "spec": one.model_dump(mode="json"),
                "cost": round(film.cost * one.seconds / max(recipe.seconds, one.seconds), 1),
            }
        )
        for number, one in enumerate(_cuttings(recipe, facts, encodes))
    ]


def _cuttings(recipe: EncodeVideo, facts: MediaFacts, encodes: Encodes) -> list[EncodeVideo]:
    """The same recipe for short parts of the film; all of a film that is hardly longer than they are."""
    rate, track = Fraction(recipe.rate), encodes.picture
    frames, length = round(recipe.seconds * rate), round(_SECONDS * rate)
    if track is None or frames < 2 * len(_PLACES) * length:
        return [recipe]
    first = recipe.chunk.first if recipe.chunk is not None else 0
    parts = [part_of(facts, track, rate, first + round(place * frames), length) for place in _PLACES]
    # What can only be read from its beginning is sampled early on: once.
    found = parts if all(part.seek is not None for part in parts) else parts[:1]
    return [recipe.model_copy(update={"chunk": part}) for part in found]
