"""The command lines of a plan, for people who want to see them: what a worker will run, with short names for files."""

from pathlib import Path
from typing import Any

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.plan import PlannedTask
from omkt_pipeline.domain.recipe import (
    EncodeAudio,
    EncodeBoard,
    EncodePreview,
    EncodeStills,
    EncodeTexts,
    EncodeTogether,
    EncodeVideo,
    Extract,
    PackageFile,
    Part,
    Single,
    encode_spec,
    package_spec,
    singles,
)
from omkt_pipeline.domain.task import TaskKind
from omkt_pipeline.media.covers import cover_argv
from omkt_pipeline.media.encode_argv import first_pass_argv, video_argv
from omkt_pipeline.media.extract import extract_argv, packets_argv
from omkt_pipeline.media.marks import images_of
from omkt_pipeline.media.package_argv import TrackFile, cutting_of, file_argv, hls_argv
from omkt_pipeline.media.sound_argv import audio_argv, loudness_argv, texts_argv
from omkt_pipeline.media.stills_argv import board_argv, preview_argv, still_argv
from omkt_pipeline.media.tools import Tools

#: Names instead of paths: where files lie on a host is nobody's business.
_TOOLS = Tools(ffmpeg=Path("ffmpeg"), ffprobe=Path("ffprobe"), version="")
_SOURCE, _MADE, _NOTES = Path("original"), Path("made"), Path("notes")
_THREADS = 1


def commands_of(task: PlannedTask) -> list[list[str]]:
    """The argument vectors of one task of a plan, in their order.

    What only the work itself tells is left open: the gain of a second pass for loudness, the number of threads,
    and whether a film's tables say where its sounds lie, so that copying them takes no command.
    """
    if task.kind is TaskKind.ENCODE:
        return _encode(task)
    if task.kind is TaskKind.EXTRACT:
        return _extract(task)
    return _package(task) if task.kind is TaskKind.PACKAGE else []


def _extract(task: PlannedTask) -> list[list[str]]:
    recipe, copy, limits = Extract.model_validate(task.spec), _MADE / "sounds", Limits()
    return [
        extract_argv(recipe, _SOURCE, copy, Path("packets"), tools=_TOOLS, limits=limits),
        packets_argv(recipe, copy, Path("copied"), tools=_TOOLS, limits=limits),
    ]


def _encode(task: PlannedTask) -> list[list[str]]:
    recipe = encode_spec.validate_python(task.spec)
    recipes = singles(recipe)
    files = recipe.files if isinstance(recipe, EncodeTogether) else ()
    cuttings = [cutting for recipe in recipes if (cutting := cutting_of(recipe, _MADE)) is not None]
    encoding = [argv for recipe in recipes for argv in _one(recipe)]
    cut = [hls_argv(cuttings, _MADE, tools=_TOOLS)] if cuttings else []
    return [*encoding, *cut, *(argv for file in files for argv in _file(file))]


def _one(recipe: Single) -> list[list[str]]:
    limits = Limits()
    match recipe:
        case EncodeVideo():
            words: dict[str, Any] = {"tools": _TOOLS, "limits": limits, "threads": _THREADS}
            words["images"] = {image: Path(image) for image in images_of(recipe.renditions)}
            whole = video_argv(recipe, _SOURCE, _MADE, **words)
            first = first_pass_argv(recipe, _SOURCE, _NOTES, **words)
            return [first, whole] if any(rendition.two_pass for rendition in recipe.renditions) else [whole]
        case EncodeAudio():
            measured = (
                [loudness_argv(recipe, _SOURCE, tools=_TOOLS, limits=limits)] if recipe.loudness is not None else []
            )
            return [*measured, audio_argv(recipe, _SOURCE, _MADE, tools=_TOOLS, limits=limits)]
        case EncodeStills():
            return [
                still_argv(recipe, still, _SOURCE, _MADE, tools=_TOOLS, limits=limits, at=at)
                for still in recipe.stills
                for at in (still.at, *still.also_at)
            ]
        case EncodeTexts():
            return [texts_argv(recipe, _SOURCE, _MADE, tools=_TOOLS, limits=limits)]
        case EncodeBoard():
            return [board_argv(recipe, _SOURCE, _MADE, tools=_TOOLS, limits=limits, threads=_THREADS)]
        case EncodePreview():
            return [preview_argv(recipe, _SOURCE, _MADE, tools=_TOOLS, limits=limits, threads=_THREADS)]


def _package(task: PlannedTask) -> list[list[str]]:
    """What was left in its last form is packaged without ffmpeg; segments of what was not are cut as an encode does it."""
    spec = package_spec.validate_python(task.spec)
    return _file(spec) if isinstance(spec, PackageFile) and not spec.finished else []


def _file(spec: PackageFile) -> list[list[str]]:
    tracks = [*map(_track, (*spec.video, *spec.audio, *spec.texts))]
    chapters = Path("chapters") if spec.chapters and spec.container != "ogg" else None
    cover = Path("cover") if spec.cover is not None else None
    drawn = (
        [] if spec.cover is None else [cover_argv(spec.cover, _SOURCE, Path("cover"), tools=_TOOLS, limits=Limits())]
    )
    name = _MADE / spec.name
    joined = file_argv(tracks, name, spec.container, tools=_TOOLS, tags=spec.tags, chapters=chapters, cover=cover)
    return [*drawn, joined]


def _track(part: Part) -> TrackFile:
    return TrackFile(name=part.name, path=Path(part.task) / part.name)
