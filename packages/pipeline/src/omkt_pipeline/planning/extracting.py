"""Sounds that are encoded apart from their picture: read out of the film where its disk is."""

from collections.abc import Sequence

from omkt_pipeline.domain.media import SourceFile
from omkt_pipeline.domain.plan import PlannedTask
from omkt_pipeline.domain.recipe import EncodeAudio, Extract
from omkt_pipeline.domain.task import TaskKind
from omkt_pipeline.planning.cost import extract_cost

EXTRACT = "sounds"
#: Containers of films that ffmpeg also writes, and with the same clock. In any other, a copy's times would be rounded.
_KEPT = frozenset({"mov", "matroska"})


def read_apart(sounds: Sequence[PlannedTask], source: SourceFile, *, begins: float) -> tuple[PlannedTask, ...]:
    """The tasks of sounds, which else would each read the whole film over the network once more, with the task before them
    that copies their tracks out of it; as they are where that cannot be done."""
    recipes = [EncodeAudio.model_validate(sound.spec) for sound in sounds]
    inputs = [recipe.input for recipe in recipes]
    if not inputs or inputs[0].demuxer not in _KEPT or any(one.clock_by for one in inputs):
        return tuple(sounds)
    indexes = {index for recipe in recipes for index in (recipe.input.index, *recipe.beside)}
    recipe = Extract(source=source, demuxer=inputs[0].demuxer, indexes=tuple(sorted(indexes)), begins=begins)
    cost = extract_cost(source.bytes)
    extract = PlannedTask(key=EXTRACT, kind=TaskKind.EXTRACT, spec=recipe.model_dump(mode="json"), cost=cost)
    return (extract, *(sound.model_copy(update={"needs": (extract.key,)}) for sound in sounds))
