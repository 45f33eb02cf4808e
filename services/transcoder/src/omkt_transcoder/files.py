"""Join encoded tracks into one file, and compare it with what was encoded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from omkt_pipeline.domain.errors import SourceError, VerifyError
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.recipe import EncodeTogether, PackageFile
from omkt_pipeline.media.boxes import read_box
from omkt_pipeline.media.containers import ONE_LENGTH, TIMES_OF_PACKS, staged
from omkt_pipeline.media.covers import cover_argv
from omkt_pipeline.media.labels import chapter_file, chapter_tags
from omkt_pipeline.media.made import tracks_of
from omkt_pipeline.media.moov import MovieTrack
from omkt_pipeline.media.package_argv import TrackFile, file_argv
from omkt_pipeline.media.process import ToolExited
from omkt_pipeline.media.tools import Tools
from omkt_transcoder.segments import Run
from omkt_transcoder.titles import disposition_of
from omkt_transcoder.verify import DURATION_SLACK_SECONDS

if TYPE_CHECKING:
    from omkt_pipeline.worker import TaskContext


log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A track that goes into a file, and what its encode says of it."""

    path: Path
    name: str
    facts: Mapping[str, Any]

    @property
    def track(self) -> TrackFile:
        return TrackFile(
            name=self.name,
            path=self.path,
            demuxer=staged(self.facts["codec"]).demuxer,
            language=self.facts.get("language"),
            disposition=disposition_of(self.facts) if self.is_text else None,
        )

    @property
    def is_text(self) -> bool:
        return "cues" in self.facts


def place_of(spec: PackageFile) -> str:
    """Where an encode leaves a file that it made, below its folder."""
    return f"files/{spec.output}/{spec.name}"


def join_file(
    spec: PackageFile,
    tracks: Sequence[Encoded],
    made: Path,
    *,
    tools: Tools,
    limits: Limits,
    run: Run,
    ctx: "TaskContext",
) -> None:
    """Make the file. Raises VerifyError when it does not hold the tracks, each as it was encoded."""
    rate = next((one.facts["sample_rate"] for one in tracks if "sample_rate" in one.facts), None)
    chapters, tags = None, spec.tags
    if spec.container == "ogg":
        tags = tags | chapter_tags(spec.chapters)
    elif spec.chapters:
        chapters = ctx.scratch / f"chapters-{spec.output}.txt"
        chapters.write_text(chapter_file(spec.chapters))
    cover = _cover(spec, made, tools=tools, limits=limits, run=run, ctx=ctx)
    argv = file_argv(
        [one.track for one in tracks],
        made,
        spec.container,
        tools=tools,
        sample_rate=rate,
        tags=tags,
        chapters=chapters,
        cover=cover,
    )
    run(argv, [*(one.path for one in tracks), *(path for path in (chapters, cover) if path is not None)])
    if cover is not None:
        cover.unlink()
    # Not every container keeps the order of its tracks, and MP4 has one more for the names of chapters.
    order = ["video", "audio", "subtitle"]
    all_tracks = (track for track in tracks_of(made, tools=tools, stop=ctx.stop) if track.kind in order)
    found = sorted(all_tracks, key=lambda track: order.index(track.kind))
    if cover is not None:
        found = _without_cover(found, spec, made)
    if len(found) != len(tracks):
        raise VerifyError(f"{spec.name} holds {len(found)} tracks instead of {len(tracks)}.")
    longest = max(one.facts.get("duration", 0.0) for one in tracks)
    for track, one in zip(found, tracks, strict=True):
        if one.is_text:
            continue  # MP4 has samples for the time between titles, too
        planned = one.facts
        samples = planned.get("frames", planned.get("packets"))
        if track.codec != planned["codec"] or track.samples != samples:
            raise VerifyError(f"{spec.name}: {track.samples} samples of {track.codec} instead of {samples}.")
        if not _lasts(track.duration, planned["duration"], longest, spec.container):
            raise VerifyError(f"{spec.name} lasts {track.duration:.2f} s instead of {planned['duration']:.2f} s.")


def _lasts(found: float, planned: float, longest: float, container: str) -> bool:
    """Whether a track of a file lasts as long as planned, as far as its container says; its samples were counted."""
    if container in TIMES_OF_PACKS and found < planned:
        return True
    lengths = (planned, *([longest] if container in ONE_LENGTH else []))
    return min(abs(found - length) for length in lengths) <= DURATION_SLACK_SECONDS


def _cover(spec: PackageFile, made: Path, *, tools: Tools, limits: Limits, run: Run, ctx: "TaskContext") -> Path | None:
    """The file's cover beside it; None where the source has none, or one that cannot be decoded."""
    if spec.cover is None:
        return None
    source, target = ctx.share.original(spec.cover.source.path), made.with_name(f"{made.stem}-cover.jpg")
    try:
        run(cover_argv(spec.cover, source, target, tools=tools, limits=limits), [source])
    except (SourceError, ToolExited) as error:
        log.warning("a cover that cannot be decoded is left out", event_code="cover_damaged", reason=error.message)
    if target.exists() and target.stat().st_size:
        return target
    target.unlink(missing_ok=True)
    return None


def _without_cover(tracks: list[MovieTrack], spec: PackageFile, made: Path) -> list[MovieTrack]:
    """The tracks that are none. Raises VerifyError when there is no cover: in MP4 it is a tag (covr), in MP3 a track."""
    others = [track for track in tracks if track.codec != "mjpeg"]
    if len(others) == len(tracks) and b"covr" not in (read_box(made, b"moov") or b""):
        raise VerifyError(f"{spec.name} should have a cover, and has none.")
    return others


def finish_files(
    recipe: EncodeTogether,
    facts: Mapping[str, Any],
    made: Path,
    *,
    tools: Tools,
    limits: Limits,
    run: Run,
    ctx: "TaskContext",
) -> None:
    """Make the files of a task out of what it has encoded into `made`, and leave only what others need besides."""
    said = {name: fact for group in ("renditions", "sounds", "texts") for name, fact in facts.get(group, {}).items()}
    used: set[Path] = set()
    for spec in recipe.files:
        names = [part.name for part in (*spec.video, *spec.audio, *spec.texts)]
        tracks = [
            Encoded(path=made / f"{name}.{staged(said[name]['codec']).ending}", name=name, facts=said[name])
            for name in names
        ]
        target = made / place_of(spec)
        target.parent.mkdir(parents=True)
        join_file(spec, tracks, target, tools=tools, limits=limits, run=run, ctx=ctx)
        used.update(track.path for track in tracks if track.name not in recipe.kept)
    for path in used:
        path.unlink()
