"""concat: lay several media behind each other; what comes out is the original of a new one."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omkt_pipeline.domain.effects import Fetched, Settlement
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import StoredMedia
from omkt_pipeline.domain.recipe import Concat as Recipe
from omkt_pipeline.domain.task import Task
from omkt_pipeline.media.concat_argv import concat_argv
from omkt_pipeline.media.decoding import decode
from omkt_pipeline.media.made import tracks_of
from omkt_pipeline.media.process import Reach
from omkt_pipeline.media.progress import Progress
from omkt_pipeline.media.tools import Tools
from omkt_pipeline.planning.concat import concat_of
from omkt_pipeline.storage import layout
from omkt_transcoder.verify import damaged

if TYPE_CHECKING:
    from omkt_pipeline.worker import TaskContext

#: What whole frames and samples of the parts may make of a difference.
_ROUNDING_SECONDS = 0.2


class Concat:
    """The handler of concat tasks."""

    def __init__(self, *, tools: Tools, limits: Limits, parts_of: Callable[[Task], Sequence[StoredMedia]]) -> None:
        self._tools, self._limits, self._parts_of = tools, limits, parts_of

    def __call__(self, ctx: "TaskContext") -> Settlement:
        """Concatenate the task's parts. Raises SourceError for what is gone, too long together or cannot be decoded."""
        recipe = concat_of(self._parts_of(ctx.task), most_seconds=self._limits.max_duration_seconds)
        sources = [ctx.share.original(part.source.path) for part in recipe.parts]
        made = ctx.scratch / "made"
        made.mkdir()
        argv = concat_argv(
            recipe, sources, made / layout.ORIGINAL, tools=self._tools, limits=self._limits, threads=ctx.threads
        )
        finished = decode(
            argv,
            limits=self._limits,
            wall_seconds=self._limits.pass_seconds(recipe.seconds),
            threads=ctx.threads,
            reach=Reach(reads=tuple(sources), writes=(made,)),
            stop=ctx.stop,
            on_line=Progress(recipe.seconds, ctx.report).take,
        )
        self._refuse_short(recipe, made / layout.ORIGINAL, finished.stderr_tail, ctx.stop)
        folder = layout.original_folder(str(ctx.task.spec["media"]), ctx.task.folder_name)
        (artifact,) = artifacts = ctx.keep(made, folder)
        effect = Fetched(path=f"{folder}/{artifact.path}", bytes=artifact.bytes, sha256=artifact.sha256, name=None)
        return Settlement(effect=effect, folder=folder, artifacts=artifacts)

    def _refuse_short(self, recipe: Recipe, made: Path, stderr: str, stop: threading.Event) -> None:
        """Parts are drawn out by what they are known to lack: whoever is shorter now lost what probing has seen."""
        for track in tracks_of(made, tools=self._tools, stop=stop):
            if track.duration < recipe.seconds - _ROUNDING_SECONDS:
                raise damaged(track.duration, recipe.seconds, stderr)
