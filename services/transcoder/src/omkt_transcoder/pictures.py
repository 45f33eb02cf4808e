"""Encode the renditions of a film, or of a chunk of it, from one decode, and measure them where that is asked for."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from omkt_pipeline.domain.errors import SourceError, VerifyError
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.recipe import EncodeVideo, VideoRendition
from omkt_pipeline.media.encode_argv import first_pass_argv, video_argv
from omkt_pipeline.media.marks import check_image, images_of
from omkt_pipeline.media.process import Finished, Reach
from omkt_pipeline.media.progress import Progress
from omkt_pipeline.media.quality import quality_argv, read_quality
from omkt_pipeline.media.segmenter import PLAYLIST
from omkt_pipeline.media.tools import Tools
from omkt_pipeline.storage import layout
from omkt_transcoder.effort import FirstPass, effort
from omkt_transcoder.verify import check_rendition

if TYPE_CHECKING:
    from omkt_pipeline.worker import TaskContext

log = structlog.get_logger(__name__)

#: Runs an argument vector within a reach, its lines given to a function, for a task.
Run = Callable[[list[str], Reach, Callable[[str], bool], "TaskContext"], Finished]


class Pictures:
    """The encoder of moving pictures."""

    def __init__(self, *, tools: Tools, limits: Limits, run: Run) -> None:
        self._tools, self._limits, self._run = tools, limits, run

    def __call__(self, recipe: EncodeVideo, source: Path, target: Path, ctx: "TaskContext") -> dict[str, Any]:
        """Encode every rendition of a recipe into the folder `target`; their facts. Raises as `Encode` does."""
        chunk = recipe.chunk
        if chunk is None or chunk.seek is None:
            return self._pictures(recipe, source, target, ctx)
        try:
            return self._pictures(recipe, source, target, ctx)
        except (SourceError, VerifyError) as error:
            # The key frame from which reading began is damaged, or is none: from the beginning all frames are there,
            # as they are when the whole is encoded.
            log.warning("reading from the beginning", event_code="chunk_unseekable", reason=error.message)
            again = recipe.model_copy(update={"chunk": chunk.model_copy(update={"seek": None})})
            return self._pictures(again, source, target, ctx)

    def _pictures(self, recipe: EncodeVideo, source: Path, target: Path, ctx: "TaskContext") -> dict[str, Any]:
        notes = ctx.scratch / "notes"
        images = _images(recipe, ctx)
        measuring = self._first_pass(recipe, source, notes, images, ctx)
        argv = video_argv(
            recipe,
            source,
            target,
            tools=self._tools,
            limits=self._limits,
            threads=ctx.threads,
            notes=notes,
            images=images,
        )
        for rendition in recipe.renditions:
            if rendition.segment_frames is not None:
                _emptied(target / rendition.name)
        progress = Progress(recipe.seconds, measuring.second(ctx.report))
        reach = Reach(reads=(source, *images.values()), writes=(target, *([notes] if measuring.passes else [])))
        finished = self._run(argv, reach, progress.take, ctx)
        renditions = {
            rendition.name: check_rendition(
                target,
                rendition,
                recipe,
                frames=progress.frames,
                tools=self._tools,
                stderr=finished.stderr_tail,
                stop=ctx.stop,
            )
            for rendition in recipe.renditions
        }
        for rendition in recipe.renditions:
            if rendition.quality:
                renditions[rendition.name]["quality"] = self._quality(recipe, rendition, source, target, images, ctx)
            (target / rendition.name / PLAYLIST).unlink(missing_ok=True)  # package writes one for the whole film
        asked = {name for rendition in recipe.renditions for name in rendition.quality}
        warnings = {
            "tone_map_missing": recipe.tone_map is not None and not self._tools.has_zscale,
            "quality_unmeasurable": not asked <= self._tools.metrics,
        }
        return {
            **measuring.effort(effort(self._tools, finished.cpu_seconds, finished.peak_rss)),
            "rate": recipe.rate,
            "renditions": renditions,
            "warnings": [name for name, applies in warnings.items() if applies],
        }

    def _quality(
        self,
        recipe: EncodeVideo,
        rendition: VideoRendition,
        source: Path,
        target: Path,
        images: Mapping[str, Path],
        ctx: "TaskContext",
    ) -> dict[str, float]:
        """How near a rendition is to its source, by what was asked for and this host's ffmpeg can measure."""
        if not self._tools.metrics.intersection(rendition.quality):
            return {}
        argv = quality_argv(
            recipe,
            rendition,
            source,
            target,
            tools=self._tools,
            limits=self._limits,
            threads=ctx.threads,
            images=images,
        )
        progress = Progress(recipe.seconds, lambda _: None)
        reach = Reach(reads=(source, target, *images.values()))
        return read_quality(self._run(argv, reach, progress.take, ctx).stderr_tail)

    def _first_pass(
        self, recipe: EncodeVideo, source: Path, notes: Path, images: Mapping[str, Path], ctx: "TaskContext"
    ) -> FirstPass:
        if not any(rendition.two_pass for rendition in recipe.renditions):
            return FirstPass()
        notes.mkdir(exist_ok=True)
        argv = first_pass_argv(
            recipe, source, notes, tools=self._tools, limits=self._limits, threads=ctx.threads, images=images
        )
        progress = Progress(recipe.seconds, lambda done: ctx.report(done / 2))
        finished = self._run(argv, Reach(reads=(source, *images.values()), writes=(notes,)), progress.take, ctx)
        return FirstPass(passes=1, cpu_seconds=finished.cpu_seconds, peak_rss=finished.peak_rss)


def _emptied(folder: Path) -> None:
    """A folder for segments, without those of a try before."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def _images(recipe: EncodeVideo, ctx: "TaskContext") -> dict[str, Path]:
    """Where the pictures of watermarks lie. Raises SourceError (watermark_unusable)."""
    found = {image: ctx.share.path(layout.incoming_path(image)) for image in images_of(recipe.renditions)}
    for image, path in found.items():
        check_image(path, image)
    return found
