"""measure: hear and look through a whole source, for those who ask what is in it beyond its tracks."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from omkt_pipeline.domain.effects import Measured, Settlement
from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import StoredMedia
from omkt_pipeline.domain.task import Task
from omkt_pipeline.media.decoding import decode
from omkt_pipeline.media.measures import Reading, measures_argv
from omkt_pipeline.media.process import Reach
from omkt_pipeline.media.progress import Progress
from omkt_pipeline.media.tools import Tools

if TYPE_CHECKING:
    from omkt_pipeline.worker import TaskContext


class Measure:
    """The handler of measure tasks."""

    def __init__(self, *, tools: Tools, limits: Limits, media_of: Callable[[Task], StoredMedia]) -> None:
        self._tools, self._limits, self._media_of = tools, limits, media_of

    def __call__(self, ctx: "TaskContext") -> Settlement:
        """Measure the task's original. Raises SourceError for what cannot be decoded."""
        media = self._media_of(ctx.task)
        if media.facts is None:
            raise SourceError("Nothing is known of the source yet.", code="source_unprobed")
        source, facts = ctx.share.original(media.path), media.facts
        argv = measures_argv(facts, source, tools=self._tools, limits=self._limits, threads=ctx.threads)
        reading, progress = Reading(), Progress(facts.duration or 0.0, ctx.report)

        def take(line: str) -> bool:
            reading.take(line)
            return progress.take(line)

        wall = self._limits.pass_seconds(facts.duration or 0.0)
        finished = decode(
            argv,
            limits=self._limits,
            wall_seconds=wall,
            threads=ctx.threads,
            reach=Reach(reads=(source,)),
            stop=ctx.stop,
            on_line=take,
        )
        measures = reading.result(finished.stderr_tail, duration=facts.duration)
        return Settlement(effect=Measured(measures=measures.model_dump(mode="json")))
