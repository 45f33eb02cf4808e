"""encode: make renditions of a source on local scratch, and leave them on the share for package."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from omkt_pipeline.domain.effects import Encoded, Settlement
from omkt_pipeline.domain.errors import Unavailable, VerifyError
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import Loudness
from omkt_pipeline.domain.recipe import Encode as Recipe
from omkt_pipeline.domain.recipe import (
    EncodeAudio,
    EncodeBoard,
    EncodePreview,
    EncodeStills,
    EncodeTexts,
    EncodeTogether,
    EncodeVideo,
    Extracted,
    Single,
    StagedFolder,
    encode_spec,
    singles,
)
from omkt_pipeline.domain.task import Task
from omkt_pipeline.media.containers import staged
from omkt_pipeline.media.decoding import decode
from omkt_pipeline.media.encoders import encoders_of
from omkt_pipeline.media.loudness import gain, needs_limiter, read_loudness
from omkt_pipeline.media.process import Finished, Reach
from omkt_pipeline.media.progress import Progress
from omkt_pipeline.media.sound_argv import audio_argv, loudness_argv, steady_argv, texts_argv
from omkt_pipeline.media.stills_argv import board_argv, preview_argv
from omkt_pipeline.media.tools import Tools
from omkt_pipeline.storage import layout
from omkt_transcoder.effort import FirstPass, effort, effort_of
from omkt_transcoder.files import finish_files
from omkt_transcoder.pictures import Pictures
from omkt_transcoder.segments import cut_sounds
from omkt_transcoder.stills import take_stills
from omkt_transcoder.titles import rewritten
from omkt_transcoder.verify import SOUND_TOO_LONG, check_board, check_preview, check_sound

if TYPE_CHECKING:
    from omkt_pipeline.worker import TaskContext


log = structlog.get_logger(__name__)

#: The share of the first recipe, a picture, in the progress of several.
_FIRST_PART = 0.9


class Encode:
    """The handler of encode tasks."""

    def __init__(
        self, *, tools: Tools, limits: Limits, inputs_of: Callable[[Task], Mapping[str, StagedFolder]]
    ) -> None:
        self._tools, self._limits, self._inputs_of = tools, limits, inputs_of
        self._pictures = Pictures(tools=tools, limits=limits, run=self._run)

    def __call__(self, ctx: "TaskContext") -> Settlement:
        """Encode what the task's recipe says.

        Raises SourceError (source_damaged) when less comes out than the source promised, VerifyError when a rendition
        is not what was planned, ToolError when ffmpeg was killed or hung, Unavailable (encoder_missing) when another host's
        ffmpeg is needed.
        """
        recipe = encode_spec.validate_python(ctx.task.spec)
        self._refuse_without_encoder(recipe)
        recipes = singles(recipe)
        source = ctx.share.original(recipes[0].input.source.path)
        target = ctx.scratch / "made"
        target.mkdir()
        facts = self._all(recipes, source, target, ctx)

        def copied(argv: list[str], reads: Sequence[Path]) -> None:
            self._run(argv, Reach(reads=tuple(reads), writes=(target,)), lambda _: True, ctx)

        facts = cut_sounds(recipes, facts, target, tools=self._tools, run=copied)
        if isinstance(recipe, EncodeTogether):
            finish_files(recipe, facts, target, tools=self._tools, limits=self._limits, run=copied, ctx=ctx)
        folder = layout.staging_folder(ctx.task)
        artifacts = ctx.keep(target, folder)
        return Settlement(effect=Encoded(facts=facts), folder=folder, artifacts=artifacts)

    def _all(self, recipes: Sequence[Single], source: Path, target: Path, ctx: "TaskContext") -> dict[str, Any]:
        """Encode one after the other into `target`, of a source that the machine has just read; the facts of all."""
        lengths = (
            [1.0]
            if len(recipes) == 1
            else [_FIRST_PART, *[(1 - _FIRST_PART) / (len(recipes) - 1)] * (len(recipes) - 1)]
        )
        made: list[dict[str, Any]] = []
        for recipe, begin, length in zip(recipes, accumulate(lengths, initial=0.0), lengths, strict=False):
            now = partial(_report_part, ctx.report, begin, length)
            made.append(self._one(recipe, source, target, replace(ctx, report=now)))
        groups: dict[str, dict[str, Any]] = {}
        for facts in made:
            for group, said in facts.items():
                if isinstance(said, dict):
                    groups.setdefault(group, {}).update(said)
        return {**made[0], **effort_of(made), **groups}

    def _one(self, recipe: Single, source: Path, target: Path, ctx: "TaskContext") -> dict[str, Any]:
        match recipe:
            case EncodeVideo():
                facts = self._pictures(recipe, source, target, ctx)
            case EncodeAudio():
                facts = self._audio(recipe, source, target, ctx)
            case EncodeTexts():
                facts = self._texts(recipe, source, target, ctx)
            case EncodeBoard():
                facts = self._board(recipe, source, target, ctx)
            case EncodePreview():
                facts = self._preview(recipe, source, target, ctx)
            case EncodeStills():
                facts = self._stills(recipe, source, target, ctx)
        return facts

    def _audio(self, recipe: EncodeAudio, source: Path, target: Path, ctx: "TaskContext") -> dict[str, Any]:
        recipe, source, timed = self._copied_out(recipe, source, ctx)
        try:
            return self._sound(recipe, source, target, ctx, timed=timed)
        except VerifyError as error:
            if error.code != SOUND_TOO_LONG or recipe.beside:
                raise
            log.warning("a sound that changes in the middle", event_code="sound_unsteady", reason=error.message)
        steady = ctx.scratch / f"steady-{recipe.name}" / "sound.mkv"
        steady.parent.mkdir()
        argv = steady_argv(recipe, source, steady, tools=self._tools, limits=self._limits, timed=timed)
        reach = Reach(reads=(source,), writes=(steady.parent,))
        self._run(argv, reach, Progress(recipe.input.duration, lambda _: ctx.report(0.0)).take, ctx)
        now = recipe.input.model_copy(update={"demuxer": "matroska", "index": 0, "clock_by": ()})
        return self._sound(recipe.model_copy(update={"input": now}), steady, target, ctx, timed=True, bounded=False)

    def _copied_out(self, recipe: EncodeAudio, source: Path, ctx: "TaskContext") -> tuple[EncodeAudio, Path, bool]:
        """The recipe and the file from which it reads: what was copied out of the film (and is timed), or the film."""
        for staged_folder in self._inputs_of(ctx.task).values():
            if said := staged_folder.facts.get("extracted"):
                (made,) = staged_folder.artifacts
                extracted = Extracted.model_validate(said)
                return extracted.now(recipe), ctx.share.verified(staged_folder.folder, made), True
        return recipe, source, False

    def _sound(
        self, recipe: EncodeAudio, source: Path, target: Path, ctx: "TaskContext", *, timed: bool, bounded: bool = True
    ) -> dict[str, Any]:
        measuring, loudness = self._loudness(recipe, source, ctx, timed=timed)
        argv = audio_argv(
            recipe, source, target, tools=self._tools, limits=self._limits, loudness=loudness, timed=timed
        )
        reach = Reach(reads=(source,), writes=(target,))
        second = Progress(recipe.input.duration, measuring.second(ctx.report))
        finished = self._run(argv, reach, second.take, ctx)
        sound = check_sound(
            target / f"{recipe.name}.{staged(recipe.codec).ending}",
            recipe,
            tools=self._tools,
            stderr=finished.stderr_tail,
            stop=ctx.stop,
            bounded=bounded,
        )
        if loudness is not None and recipe.loudness is not None:
            sound["loudness"] = {
                "source": loudness.model_dump(),
                "target": recipe.loudness,
                "gain": gain(loudness, recipe.loudness),
                "limited": needs_limiter(loudness, recipe.loudness),
            }
        silent = recipe.loudness is not None and loudness is None
        return {
            **measuring.effort(effort(self._tools, finished.cpu_seconds, finished.peak_rss)),
            "sounds": {recipe.name: sound},
            "warnings": ["loudness_unmeasurable"] if silent else [],
        }

    def _loudness(
        self, recipe: EncodeAudio, source: Path, ctx: "TaskContext", *, timed: bool
    ) -> tuple[FirstPass, Loudness | None]:
        """Measure, where the recipe names a loudness. Silence has none."""
        if recipe.loudness is None:
            return FirstPass(), None
        argv = loudness_argv(recipe, source, tools=self._tools, limits=self._limits, timed=timed)
        progress = Progress(recipe.input.duration, lambda done: ctx.report(done / 2))
        finished = self._run(argv, Reach(reads=(source,)), progress.take, ctx)
        measured = FirstPass(passes=1, cpu_seconds=finished.cpu_seconds, peak_rss=finished.peak_rss)
        return measured, read_loudness(finished.stderr_tail)

    def _texts(self, recipe: EncodeTexts, source: Path, target: Path, ctx: "TaskContext") -> dict[str, Any]:
        argv = texts_argv(recipe, source, target, tools=self._tools, limits=self._limits)
        reach = Reach(reads=(source,), writes=(target,))
        finished = self._run(argv, reach, Progress(recipe.input.duration, ctx.report).take, ctx)
        texts = {text.name: rewritten(target / f"{text.name}.vtt", text) for text in recipe.texts}
        return {**effort(self._tools, finished.cpu_seconds, finished.peak_rss), "texts": texts}

    def _stills(self, recipe: EncodeStills, source: Path, target: Path, ctx: "TaskContext") -> dict[str, Any]:
        cpu_seconds, peak_rss, images = take_stills(
            recipe, source, target, tools=self._tools, limits=self._limits, stop=ctx.stop, report=ctx.report
        )
        return {**effort(self._tools, cpu_seconds, peak_rss), "images": images}

    def _board(self, recipe: EncodeBoard, source: Path, target: Path, ctx: "TaskContext") -> dict[str, Any]:
        argv = board_argv(recipe, source, target, tools=self._tools, limits=self._limits, threads=ctx.threads)
        reach = Reach(reads=(source,), writes=(target,))
        finished = self._run(argv, reach, Progress(recipe.input.duration, ctx.report).take, ctx)
        board = check_board(recipe, target, stderr=finished.stderr_tail)
        return {**effort(self._tools, finished.cpu_seconds, finished.peak_rss), "boards": {recipe.name: board}}

    def _preview(self, recipe: EncodePreview, source: Path, target: Path, ctx: "TaskContext") -> dict[str, Any]:
        argv = preview_argv(recipe, source, target, tools=self._tools, limits=self._limits, threads=ctx.threads)
        progress = Progress(len(recipe.starts) * recipe.frames / float(Fraction(recipe.rate)), ctx.report)
        finished = self._run(argv, Reach(reads=(source,), writes=(target,)), progress.take, ctx)
        made = check_preview(recipe, target, tools=self._tools, stderr=finished.stderr_tail, stop=ctx.stop)
        return {
            **effort(self._tools, finished.cpu_seconds, finished.peak_rss),
            "rate": recipe.rate,
            "renditions": {recipe.rendition.name: made},
        }

    def _run(self, argv: list[str], reach: Reach, on_line: Callable[[str], bool], ctx: "TaskContext") -> Finished:
        limits, threads = self._limits, ctx.threads
        wall = limits.wall_seconds(ctx.task.cost, threads)
        return decode(
            argv, limits=limits, wall_seconds=wall, threads=threads, reach=reach, stop=ctx.stop, on_line=on_line
        )

    def _refuse_without_encoder(self, recipe: Recipe) -> None:
        encoders = encoders_of(recipe)
        lacking = sorted(encoder for encoder in encoders if self._tools.lacks(encoder))
        if lacking:
            raise Unavailable(
                f"ffmpeg {self._tools.version} of this host has no {', '.join(lacking)}. Install a build that has it.",
                code="encoder_missing",
            )


def _report_part(report: Callable[[float], None], begin: float, length: float, done: float) -> None:
    report(begin + length * done)
