"""extract: copy a film's sounds out of it, so that encodes on other hosts need not read the whole film for them."""

from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from omkt_pipeline.domain.effects import Encoded, Settlement
from omkt_pipeline.domain.errors import Stopped
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.recipe import Extract as Recipe
from omkt_pipeline.domain.recipe import Extracted
from omkt_pipeline.media.extract import alike, extract_argv, packets_argv
from omkt_pipeline.media.process import ProcessLimits, Reach, ToolExited, run
from omkt_pipeline.media.progress import Progress
from omkt_pipeline.media.tools import Tools
from omkt_pipeline.media.tracks_out import TABLED, copy_sounds
from omkt_pipeline.storage import layout

if TYPE_CHECKING:
    from omkt_pipeline.worker import TaskContext

log = structlog.get_logger(__name__)

_MEMORY_BYTES = 1_000_000_000
#: It computes nearly nothing: slower than a megabyte a second is a hang.
_SLOWEST_BYTES_A_SECOND = 1_000_000


class Extract:
    """The handler of extract tasks."""

    def __init__(self, *, tools: Tools, limits: Limits) -> None:
        self._tools, self._limits = tools, limits

    def __call__(self, ctx: "TaskContext") -> Settlement:
        """Copy, by the film's tables or else by ffmpeg. Where that fails nothing is left, and encodes read the film: no error."""
        recipe = Recipe.model_validate(ctx.task.spec)
        target = ctx.scratch / "made"
        target.mkdir()
        copy = target / f"sounds.{recipe.demuxer}"
        reason = None if self._by_tables(recipe, copy, ctx) else self._by_ffmpeg(recipe, copy, ctx)
        if reason:
            log.info("sounds are read from the film", event_code="not_extracted", reason=reason)
            return Settlement(effect=Encoded(facts={}))
        extracted = Extracted(demuxer=recipe.demuxer, indexes=recipe.indexes)
        folder = layout.staging_folder(ctx.task)
        facts = {"extracted": extracted.model_dump(mode="json")}
        return Settlement(effect=Encoded(facts=facts), folder=folder, artifacts=ctx.keep(target, folder))

    def _by_tables(self, recipe: Recipe, copy: Path, ctx: "TaskContext") -> bool:
        """Whether the film's header says where its sounds lie, so that they are copied."""

        def moved(done: float) -> None:
            if ctx.stop.is_set():
                raise Stopped
            ctx.report(done)

        # A reader of the film counts from its begin, one of the copy from 0.
        if recipe.demuxer != TABLED or recipe.begins != 0:
            return False
        source = ctx.share.original(recipe.source.path)
        return copy_sounds(source, copy, recipe.indexes, most_bytes=self._limits.max_file_bytes, moved=moved)

    def _by_ffmpeg(self, recipe: Recipe, copy: Path, ctx: "TaskContext") -> str | None:
        """Why there is no copy that is like the film, packet by packet; None when there is."""
        source = ctx.share.original(recipe.source.path)
        lists = ctx.scratch / "lists"
        lists.mkdir()
        film, copied = lists / "film", lists / "copy"
        tools, limits = self._tools, self._limits
        copying = extract_argv(recipe, source, copy, film, tools=tools, limits=limits)
        listing = packets_argv(recipe, copy, copied, tools=tools, limits=limits)
        try:
            self._run(copying, Reach(reads=(source,), writes=(copy.parent, lists)), recipe, ctx)
            self._run(listing, Reach(reads=(copy,), writes=(lists,)), recipe, ctx)
        except ToolExited as error:
            return error.message
        return None if alike([film, copied]) else "packets differ"

    def _run(self, argv: list[str], reach: Reach, recipe: Recipe, ctx: "TaskContext") -> None:
        wall = 60.0 + recipe.source.bytes / _SLOWEST_BYTES_A_SECOND
        confined = ProcessLimits(
            wall_seconds=wall,
            stall_seconds=self._limits.stall_seconds,
            cpu_seconds=int(wall),
            memory_bytes=_MEMORY_BYTES,
            file_bytes=self._limits.max_file_bytes,
        )
        moves = Progress(0.0, ctx.report).take
        run(argv, limits=confined, reach=reach, stop=ctx.stop, on_line=moves)
