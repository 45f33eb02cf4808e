"""package: turn renditions into what a client asked for, check it, and publish it."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omkt_pipeline.domain.effects import Published, Settlement
from omkt_pipeline.domain.errors import VerifyError
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.recipe import (
    MadeOutput,
    PackageAgain,
    PackageBoard,
    PackageFile,
    PackageHls,
    PackageImages,
    Part,
    StagedFolder,
    package_spec,
)
from omkt_pipeline.domain.recipe import Package as Recipe
from omkt_pipeline.domain.task import Artifact, Task
from omkt_pipeline.media.captions import board_cues
from omkt_pipeline.media.complaints import meaning_of
from omkt_pipeline.media.containers import staged
from omkt_pipeline.media.cut import Cut, cut_of
from omkt_pipeline.media.manifest import MANIFEST
from omkt_pipeline.media.package_argv import Cutting
from omkt_pipeline.media.process import ProcessLimits, Reach, ToolExited, run
from omkt_pipeline.media.tools import Tools
from omkt_pipeline.storage import layout
from omkt_pipeline.storage.share import Taken
from omkt_transcoder.effort import effort_of
from omkt_transcoder.files import Encoded, join_file, place_of
from omkt_transcoder.join import joined
from omkt_transcoder.presentation import MASTER, present
from omkt_transcoder.segments import ToCut, cut_tracks
from omkt_transcoder.titles import write_rendition

if TYPE_CHECKING:
    from omkt_pipeline.worker import TaskContext


class Package:
    """The handler of package tasks.

    `inputs_of` gives what each needed encode task left, by its key in the plan; `output_of` a published output by its row.
    """

    def __init__(
        self,
        *,
        tools: Tools,
        limits: Limits,
        inputs_of: Callable[[Task], Mapping[str, StagedFolder]],
        output_of: Callable[[int], MadeOutput],
    ) -> None:
        self._tools, self._limits, self._inputs_of, self._output_of = tools, limits, inputs_of, output_of

    def __call__(self, ctx: "TaskContext") -> Settlement:
        """Make and publish one output. Raises VerifyError when it is not what was planned."""
        spec = package_spec.validate_python(ctx.task.spec)
        if isinstance(spec, PackageAgain):
            return self._again(spec, ctx)
        inputs = self._inputs_of(ctx.task)
        target = ctx.scratch / "made"
        target.mkdir()
        if isinstance(spec, PackageHls):
            entry, result = self._hls(spec, inputs, target, ctx)
        elif isinstance(spec, PackageFile):
            entry, result = self._file(spec, inputs, target, ctx)
        elif isinstance(spec, PackageBoard):
            entry, result = self._board(spec, inputs, target, ctx)
        else:
            entry, result = self._images(spec, inputs, target, ctx)
        folder = layout.result_folder(ctx.task, spec.output)
        artifacts = ctx.keep(target, folder, _taken(spec, inputs))
        result = {
            **effort_of([staged.facts for staged in inputs.values()]),
            **result,
            "bytes": sum(artifact.bytes for artifact in artifacts),
        }
        return Settlement(
            effect=Published(output=spec.output, entry=entry, result=result), folder=folder, artifacts=artifacts
        )

    def _again(self, spec: PackageAgain, ctx: "TaskContext") -> Settlement:
        """The files of another output get second names: nothing is read, written or encoded."""
        made = self._output_of(spec.of)
        folder = layout.result_folder(ctx.task, spec.output)
        nothing = ctx.scratch / "made"
        nothing.mkdir()
        taken = [Taken(folder=made.folder, artifact=one, name=one.path) for one in made.artifacts]
        artifacts = ctx.keep(nothing, folder, taken)
        effect = Published(output=spec.output, entry=made.entry, result=made.result)
        return Settlement(effect=effect, folder=folder, artifacts=artifacts)

    def _hls(
        self, spec: PackageHls, inputs: Mapping[str, StagedFolder], target: Path, ctx: "TaskContext"
    ) -> tuple[str, dict[str, Any]]:
        parts = (*spec.video, *spec.audio)
        inputs, files = self._whole(spec, parts, inputs, ctx)
        cuts = {part.name: cut for part in parts if (cut := cut_of(_said_of(part, inputs))) is not None}
        cuts |= self._cut([part for part in parts if part.name not in cuts], spec, inputs, files, target, ctx)
        length = max(_facts_of(part, inputs)["duration"] for part in parts)
        for part in spec.texts:
            write_rendition(_file_of(part, "vtt", inputs, ctx), target, part.name, length=length)
        presentation = present(spec, inputs, cuts, target)
        (target / MASTER).write_text(presentation.master)
        (target / MANIFEST).write_text(presentation.manifest)
        return MASTER, {**_contents((*parts, *spec.texts), inputs), "hls": MASTER, "dash": MANIFEST}

    def _cut(
        self,
        parts: Sequence[Part],
        spec: PackageHls,
        inputs: Mapping[str, StagedFolder],
        files: Mapping[Part, Path],
        target: Path,
        ctx: "TaskContext",
    ) -> dict[str, Cut]:
        """Cut what was left as files, for other outputs want it so, or an older version encoded it."""
        wanted = [
            ToCut(
                cutting=Cutting(track=_encoded(part, inputs, files, ctx).track, seconds=spec.segment_seconds),
                facts=_facts_of(part, inputs),
            )
            for part in parts
        ]
        if not wanted:
            return {}
        return cut_tracks(wanted, target, tools=self._tools, run=partial(self._run, ctx=ctx))

    def _file(
        self, spec: PackageFile, inputs: Mapping[str, StagedFolder], target: Path, ctx: "TaskContext"
    ) -> tuple[str, dict[str, Any]]:
        parts = (*spec.video, *spec.audio, *spec.texts)
        if spec.finished:
            return spec.name, _contents(parts, inputs)
        inputs, files = self._whole(spec, parts, inputs, ctx)
        tracks = [_encoded(part, inputs, files, ctx) for part in parts]
        run = partial(self._run, ctx=ctx)
        join_file(spec, tracks, target / spec.name, tools=self._tools, limits=self._limits, run=run, ctx=ctx)
        return spec.name, _contents(parts, inputs)

    def _images(
        self, spec: PackageImages, inputs: Mapping[str, StagedFolder], target: Path, ctx: "TaskContext"
    ) -> tuple[str, dict[str, Any]]:
        for part in spec.images:
            # The checksum was checked on the way in; the copy is hashed again when it is stored.
            (target / f"{part.name}.jpg").write_bytes(_file_of(part, "jpg", inputs, ctx).read_bytes())
        images = [{"file": f"{part.name}.jpg", **_facts_of(part, inputs)} for part in spec.images]
        entry = images[0]["file"]
        if spec.archive:
            entry = f"{spec.output}.zip"
            _zipped(target / entry, [target / image["file"] for image in images])
        return entry, {"images": images}

    def _board(
        self, spec: PackageBoard, inputs: Mapping[str, StagedFolder], target: Path, ctx: "TaskContext"
    ) -> tuple[str, dict[str, Any]]:
        board = _facts_of(spec.board, inputs)
        for sheet in board["sheets"]:
            part = Part(task=spec.board.task, name=sheet.removesuffix(".jpg"))
            (target / sheet).write_bytes(_file_of(part, "jpg", inputs, ctx).read_bytes())
        where = ("apart", "count", "columns", "rows", "width", "height")
        entry = f"{board['name']}.vtt"
        (target / entry).write_text(
            board_cues(**{key: board[key] for key in where}, length=board["duration"], name=board["name"])
        )
        return entry, {"storyboard": {key: board[key] for key in (*where, "sheets")}}

    def _whole(
        self,
        spec: PackageHls | PackageFile,
        parts: tuple[Part, ...],
        inputs: Mapping[str, StagedFolder],
        ctx: "TaskContext",
    ) -> tuple[Mapping[str, StagedFolder], Mapping[Part, Path]]:
        """What the encodes left, as if none of them had been cut; and the local files of those that were."""
        return joined(parts, spec.chunks, inputs, tools=self._tools, ctx=ctx, run=lambda argv: self._run(argv, (), ctx))

    def _run(self, argv: list[str], reads: Sequence[Path], ctx: "TaskContext") -> None:
        wall = self._limits.wall_seconds(ctx.task.cost, ctx.threads)
        confined = ProcessLimits(
            wall_seconds=wall,
            memory_bytes=self._limits.encode_memory_bytes,
            file_bytes=self._limits.max_file_bytes,
            cpu_seconds=int(wall),
        )
        try:
            reach = Reach(reads=tuple(reads), writes=(ctx.scratch,))
            run(argv, limits=confined, reach=reach, stop=ctx.stop, on_line=lambda _: True)
        except ToolExited as error:
            meaning = meaning_of(error.log_tail or "")
            # Our own files are no source: only trouble of the machine is taken from ffmpeg's words.
            raise (meaning if meaning is not None and meaning.retryable else error) from error


def _zipped(archive: Path, files: Sequence[Path]) -> None:
    """All files side by side, uncompressed (JPEG does not get smaller); equal files give equal archives."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as made:
        for file in files:
            made.writestr(zipfile.ZipInfo(file.name), file.read_bytes())


def _taken(spec: Recipe, inputs: Mapping[str, StagedFolder]) -> list[Taken]:
    """What encodes left in its last form: it is taken over as it is. Of chunks, the first one's header is that of all."""
    taken: dict[str, Taken] = {}
    if isinstance(spec, PackageFile) and spec.finished:
        (staged,) = inputs.values()
        place = place_of(spec)
        return [Taken(folder=staged.folder, artifact=_artifact(staged, place), name=spec.name)]
    if not isinstance(spec, PackageHls):
        return []
    for part in (*spec.video, *spec.audio):
        for key in spec.chunks.get(part.task, (part.task,)):
            for artifact in inputs[key].artifacts:
                if artifact.path.startswith(f"{part.name}/"):
                    one = Taken(folder=inputs[key].folder, artifact=artifact, name=artifact.path)
                    taken.setdefault(artifact.path, one)
    return list(taken.values())


def _encoded(part: Part, inputs: Mapping[str, StagedFolder], files: Mapping[Part, Path], ctx: "TaskContext") -> Encoded:
    """A part: a file that was joined here, or one on the share."""
    facts = _facts_of(part, inputs)
    path = files[part] if part in files else _file_of(part, staged(facts["codec"]).ending, inputs, ctx)
    return Encoded(path=path, name=part.name, facts=facts)


def _file_of(part: Part, ending: str, inputs: Mapping[str, StagedFolder], ctx: "TaskContext") -> Path:
    """The file of a part, checked against the row that promises it."""
    left = inputs[part.task]
    return ctx.share.verified(left.folder, _artifact(left, f"{part.name}.{ending}"))


def _artifact(left: StagedFolder, path: str) -> Artifact:
    for artifact in left.artifacts:
        if artifact.path == path:
            return artifact
    raise VerifyError(f"An encode left no {path}.")


def _facts_of(part: Part, inputs: Mapping[str, StagedFolder]) -> dict[str, Any]:
    # The decoder's header and the list of segments matter to those who put them together, and to nobody else.
    said = _said_of(part, inputs)
    return {"name": part.name} | {name: one for name, one in said.items() if name not in ("header", "cut")}


def _said_of(part: Part, inputs: Mapping[str, StagedFolder]) -> Mapping[str, Any]:
    """All that the encode of a part says of it."""
    facts = inputs[part.task].facts
    for group in ("renditions", "sounds", "images", "texts", "boards"):
        if part.name in facts.get(group, {}):
            found: Mapping[str, Any] = facts[group][part.name]
            return found
    raise VerifyError(f"{part.task} says nothing about {part.name}.")


def _contents(parts: tuple[Part, ...], inputs: Mapping[str, StagedFolder]) -> dict[str, Any]:
    """What is inside, for the client."""
    facts = [_facts_of(part, inputs) for part in parts]
    return {
        "duration": max(fact["duration"] for fact in facts if "duration" in fact),
        "renditions": [fact for fact in facts if "width" in fact],
        "audio": [fact for fact in facts if "channels" in fact],
        "subtitles": [fact for fact in facts if "cues" in fact],
    }
