"""Join the chunks of renditions into whole ones, without encoding again, and prove that no frame is missing or twice."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omkt_pipeline.domain.errors import VerifyError
from omkt_pipeline.domain.recipe import Part, StagedFolder
from omkt_pipeline.domain.task import Artifact
from omkt_pipeline.media.cut import cut_of, joined_cuts
from omkt_pipeline.media.made import frame_clock
from omkt_pipeline.media.package_argv import join_argv, join_list
from omkt_pipeline.media.quality import joined_quality
from omkt_pipeline.media.tools import Tools
from omkt_transcoder.effort import effort_of

if TYPE_CHECKING:
    from omkt_pipeline.worker import TaskContext

Inputs = Mapping[str, StagedFolder]


def joined(
    parts: Sequence[Part],
    chunks: Mapping[str, tuple[str, ...]],
    inputs: Inputs,
    *,
    tools: Tools,
    ctx: "TaskContext",
    run: Callable[[list[str]], None],
) -> tuple[dict[str, StagedFolder], dict[Part, Path]]:
    """What encoding the whole would have left, of every film of which chunks were encoded: facts, and local files of the
    parts, unless their chunks were left cut into segments.

    Each chunk is read from the share once at most. Raises VerifyError (chunks_differ) when chunks do not fit together, or when
    a frame is missing or there twice.
    """
    whole = {key: inputs[key] for key in inputs if not any(key in keys for keys in chunks.values())}
    files: dict[Part, Path] = {}
    for key, keys in chunks.items():
        staged = [inputs[one] for one in keys]
        names = sorted({part.name for part in parts if part.task == key})
        for name in names:
            if all(cut_of(one.facts["renditions"][name]) for one in staged):
                continue
            folder = ctx.scratch / "joined" / key / name
            folder.mkdir(parents=True)
            pieces = [_fetched(one, name, folder / f"{number:04d}.mp4", ctx) for number, one in enumerate(staged)]
            target = folder / f"{name}.mp4"
            list_file = folder / "pieces.txt"
            seconds = [one.facts["renditions"][name]["frames"] / Fraction(one.facts["rate"]) for one in staged]
            list_file.write_text(join_list(pieces, seconds))
            run(join_argv(list_file, target, tools=tools))
            for piece in pieces:
                piece.unlink()
            _check_clock(target, name, staged, tools=tools, ctx=ctx)
            files[Part(task=key, name=name)] = target
        whole[key] = StagedFolder(folder="", artifacts=(), facts=_facts(staged, names, files, key))
    return whole, files


def _fetched(staged: StagedFolder, name: str, target: Path, ctx: "TaskContext") -> Path:
    wanted = f"{name}.mp4"
    for artifact in staged.artifacts:
        if artifact.path == wanted:
            return _copied(staged.folder, artifact, target, ctx)
    raise VerifyError(f"A chunk has no {wanted}.")


def _copied(folder: str, artifact: Artifact, target: Path, ctx: "TaskContext") -> Path:
    ctx.share.fetch(folder, artifact, target)
    return target


def _check_clock(path: Path, name: str, staged: Sequence[StagedFolder], *, tools: Tools, ctx: "TaskContext") -> None:
    """Every frame once, each one frame after the one before it: the grid of the constant rate, without a gap."""
    frames = sum(int(one.facts["renditions"][name]["frames"]) for one in staged)
    clock = frame_clock(path, tools=tools, stop=ctx.stop)
    if clock.frames != frames:
        raise VerifyError(f"{name} holds {clock.frames} frames, and its chunks {frames}.", code="chunks_differ")
    if clock.steps != 1 or clock.begins_at != 0:
        raise VerifyError(
            f"The frames of {name} do not follow each other evenly across its chunks.", code="chunks_differ"
        )


def _facts(
    staged: Sequence[StagedFolder], names: Sequence[str], files: Mapping[Part, Path], key: str
) -> dict[str, Any]:
    """The facts of the whole, of the chunks' facts."""
    facts = [one.facts for one in staged]
    return {
        **effort_of(facts),
        "rate": facts[0]["rate"],
        "chunks": len(facts),
        "renditions": {
            name: _rendition(name, [fact["renditions"][name] for fact in facts], files.get(Part(task=key, name=name)))
            for name in names
        },
    }


def _rendition(name: str, pieces: Sequence[Mapping[str, Any]], path: Path | None) -> dict[str, Any]:
    if len({piece["header"] for piece in pieces}) > 1:
        raise VerifyError(
            "The chunks have different headers, so that a player would stumble at the joins. Hosts with different builds "
            "of ffmpeg made them; `omkt hosts` shows which.",
            code="chunks_differ",
        )
    duration = sum(float(piece["duration"]) for piece in pieces)
    said = {name: value for name, value in pieces[0].items() if name != "header"}
    if path is None:
        cut = joined_cuts(name, [found for piece in pieces if (found := cut_of(piece)) is not None])
        said["cut"], size = cut.model_dump(mode="json"), sum(cut.bytes)
    else:
        size = path.stat().st_size
    if "quality" in said:
        said["quality"] = joined_quality(
            [piece["quality"] for piece in pieces], [int(piece["frames"]) for piece in pieces]
        )
    return {
        **said,
        "frames": sum(int(piece["frames"]) for piece in pieces),
        "duration": round(duration, 3),
        "bitrate": round(size * 8 / max(duration, 0.001)),
    }
