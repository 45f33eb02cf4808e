"""probe: read what a media is, and refuse what is none."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from omkt_pipeline.domain.effects import Probed, Settlement
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import StoredMedia
from omkt_pipeline.domain.task import Task
from omkt_pipeline.media.probing import probe
from omkt_pipeline.media.tools import Tools

if TYPE_CHECKING:
    from omkt_pipeline.worker import TaskContext


class Probe:
    """The handler of probe tasks."""

    def __init__(self, *, tools: Tools, limits: Limits, media_of: Callable[[Task], StoredMedia]) -> None:
        self._tools, self._limits, self._media_of = tools, limits, media_of

    def __call__(self, ctx: "TaskContext") -> Settlement:
        """Probe the task's original. Raises SourceError for what cannot be used."""
        path = ctx.share.original(self._media_of(ctx.task).path)
        facts, raw = probe(path, tools=self._tools, limits=self._limits, stop=ctx.stop)
        return Settlement(effect=Probed(facts=facts.model_dump(mode="json"), raw=raw))
