"""concat: lay several media behind each other; what comes out is the original of a new one."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from omkt_pipeline.domain.effects import Fetched, Settlement
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import StoredMedia
from omkt_pipeline.domain.task import Task
from omkt_pipeline.media.complaints import meaning_of
from omkt_pipeline.media.concat_argv import concat_argv
from omkt_pipeline.media.process import ProcessLimits, Reach, ToolExited, run
from omkt_pipeline.media.progress import Progress
from omkt_pipeline.media.tools import Tools
from omkt_pipeline.planning.concat import concat_of
from omkt_pipeline.storage import layout

if TYPE_CHECKING:
    from omkt_pipeline.worker import TaskContext

#: Slower than this part of real time is a hang.
_SLOWEST = 20.0


class Concat:
    """The handler of concat tasks."""

    def __init__(self, *, tools: Tools, limits: Limits, parts_of: Callable[[Task], Sequence[StoredMedia]]) -> None:
        self._tools, self._limits, self._parts_of = tools, limits, parts_of

    def __call__(self, ctx: "TaskContext") -> Settlement:
        """Concatenate the task's parts. Raises SourceError for what is gone or cannot be decoded."""
        recipe = concat_of(self._parts_of(ctx.task))
        sources = [ctx.share.original(part.source.path) for part in recipe.parts]
        made = ctx.scratch / "made"
        made.mkdir()
        argv = concat_argv(
            recipe, sources, made / layout.ORIGINAL, tools=self._tools, limits=self._limits, threads=ctx.threads
        )
        seconds = sum(part.seconds for part in recipe.parts)
        wall = 600.0 + _SLOWEST * seconds
        confined = ProcessLimits(
            wall_seconds=wall,
            stall_seconds=self._limits.stall_seconds,
            cpu_seconds=int(wall * max(1, ctx.threads)),
            memory_bytes=self._limits.encode_memory_bytes,
            file_bytes=self._limits.max_file_bytes,
        )
        reach = Reach(reads=tuple(sources), writes=(made,))
        try:
            run(argv, limits=confined, reach=reach, stop=ctx.stop, on_line=Progress(seconds, ctx.report).take)
        except ToolExited as error:
            raise meaning_of(error.log_tail or "") or error from error
        folder = layout.original_folder(str(ctx.task.spec["media"]), ctx.task.folder_name)
        (artifact,) = artifacts = ctx.keep(made, folder)
        effect = Fetched(path=f"{folder}/{artifact.path}", bytes=artifact.bytes, sha256=artifact.sha256, name=None)
        return Settlement(effect=effect, folder=folder, artifacts=artifacts)
