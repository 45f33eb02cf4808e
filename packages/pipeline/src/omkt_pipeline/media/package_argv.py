"""The command lines of package tasks: streams are copied, never encoded again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

from omkt_pipeline.domain.recipe import EncodeAudio, Single
from omkt_pipeline.media.containers import MUXERS, TITLES, exact_edits, staged
from omkt_pipeline.media.covers import as_input, as_track
from omkt_pipeline.media.encode_argv import begin
from omkt_pipeline.media.labels import tag_words
from omkt_pipeline.media.segmenter import segmented
from omkt_pipeline.media.tools import Tools

#: ffmpeg reads the last packet of a short Vorbis sound in Ogg as lasting a day: there it subtracts a position from one that
#: it does not know. No packet of sound lasts a minute.
_NO_DAYS = r"setts=duration=if(gt(DURATION*TB\,60)\,0\,DURATION)"


@dataclass(frozen=True, kw_only=True)
class TrackFile:
    """One encoded track and the name of its folder in the presentation."""

    name: str
    path: Path
    demuxer: str = "mov"
    language: str | None = None
    disposition: str | None = None  #: in ffmpeg's words


def _ours(track: TrackFile) -> list[str]:
    """Our own intermediate file as input."""
    return ["-protocol_whitelist", "file,pipe", "-f", track.demuxer, "-i", f"file:{track.path}"]


def join_list(pieces: Sequence[Path], seconds: Sequence[Fraction]) -> str:
    """The script of ffmpeg's concat demuxer for files of ours, in their order, and how long each is.

    What their headers say of it is rounded to a thousandth of a second, which is too coarse for a rate as 8.797. Microseconds,
    which the script takes, suffice as long as their rounding does not add up from piece to piece.
    """
    ends = [round(end * 1_000_000) for end in accumulate(seconds, initial=Fraction(0))]
    lengths = [end - begin for begin, end in pairwise(ends)]
    return "".join(
        f"file '{_quoted(f'file:{piece}')}'\nduration {length // 1_000_000}.{length % 1_000_000:06d}\n"
        for piece, length in zip(pieces, lengths, strict=True)
    )


def _quoted(text: str) -> str:
    return text.replace("'", "'\\''")


def join_argv(list_file: Path, target: Path, *, tools: Tools) -> list[str]:
    """Put the pieces of one track behind each other in one MP4."""
    return [
        *begin(tools), "-protocol_whitelist", "file,pipe", "-f", "concat", "-safe", "0", "-i", f"file:{list_file}",
        "-map", "0:0", "-c", "copy", "-map_metadata", "-1", "-f", "mp4", f"file:{target}",
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Cutting:
    """A track that is to be cut, and how long its segments are."""

    track: TrackFile
    seconds: float


def cutting_of(recipe: Single, made: Path) -> Cutting | None:
    """The sound that an encode leaves in the folder `made` only to be cut. Pictures are cut as they are encoded."""
    if not isinstance(recipe, EncodeAudio) or recipe.segment_seconds is None:
        return None
    home = staged(recipe.codec)
    left = TrackFile(name=recipe.name, path=made / f"{recipe.name}.{home.ending}", demuxer=home.demuxer)
    return Cutting(track=left, seconds=recipe.segment_seconds)


def hls_argv(cuttings: Sequence[Cutting], target: Path, *, tools: Tools) -> list[str]:
    """Cut every track into fragmented MP4 segments in a folder of its name, in one run."""
    argv = [*begin(tools)]
    for cutting in cuttings:
        argv += _ours(cutting.track)
    for number, cutting in enumerate(cuttings):
        argv += ["-map", f"{number}:0", "-c", "copy", "-map_metadata", "-1"]
        argv += segmented(target / cutting.track.name, seconds=cutting.seconds)
    return argv


def file_argv(
    tracks: Sequence[TrackFile],
    target: Path,
    container: str = "mp4",
    *,
    tools: Tools,
    sample_rate: int | None = None,
    tags: Mapping[str, str] | None = None,
    chapters: Path | None = None,
    cover: Path | None = None,
) -> list[str]:
    """Join tracks into one file; `sample_rate` is that of its first sound, `chapters` the file that `chapter_file` makes."""
    argv = [*begin(tools)]
    for track in tracks:
        argv += _ours(track)
    if chapters is not None:
        argv += ["-protocol_whitelist", "file,pipe", "-f", "ffmetadata", "-i", f"file:{chapters}"]
    inputs = len(tracks) + (chapters is not None)
    if cover is not None:
        argv += as_input(cover)
    for number in range(len(tracks)):
        argv += ["-map", f"{number}:0"]
    lengths = [
        word for number, track in enumerate(tracks) if track.demuxer == "ogg" for word in (f"-bsf:{number}", _NO_DAYS)
    ]
    languages = [
        word
        for number, track in enumerate(tracks)
        if track.language
        for word in (f"-metadata:s:{number}", f"language={track.language}")
    ]
    dispositions = [
        word
        for number, track in enumerate(tracks)
        if track.disposition
        for word in (f"-disposition:{number}", track.disposition)
    ]
    titles = ["-c:s", TITLES[container]] if any(track.demuxer == "webvtt" for track in tracks) else []
    # Said of the file and of its tracks alone: said of all, it would take the names of chapters, too.
    silent = ["-map_metadata:g", "-1", "-map_metadata:s", "-1"]
    labels = ["-map_chapters", "-1" if chapters is None else str(len(tracks)), *tag_words(tags or {})]
    argv += ["-c", "copy", *titles, *silent, *labels, *languages, *dispositions]
    if cover is not None:
        argv += as_track(len(tracks), inputs)
    edits = exact_edits(MUXERS[container][-1], sample_rate)
    return [*argv, *lengths, *edits, *MUXERS[container], f"file:{target}"]
