"""The command lines of package tasks: streams are copied, never encoded again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from omkt_pipeline.domain.recipe import EncodeAudio, EncodeVideo, Single, VideoRendition
from omkt_pipeline.media.containers import MUXERS, TITLES, exact_edits, staged
from omkt_pipeline.media.cut import INIT
from omkt_pipeline.media.encode_argv import begin
from omkt_pipeline.media.labels import tag_words
from omkt_pipeline.media.tools import Tools

PLAYLIST = "index.m3u8"
#: Segments are cut this much before their time, as times are rounded: a key frame that is due is never late.
_EARLY_SECONDS = 0.0001


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


def join_list(pieces: Sequence[Path]) -> str:
    """The script of ffmpeg's concat demuxer for files of ours, in their order."""
    return "".join(f"file '{_quoted(f'file:{piece}')}'\n" for piece in pieces)


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
    """A track that is to be cut, and how."""

    track: TrackFile
    seconds: float  #: length of a segment
    number: int = 0  #: of the first
    frames_before: int = 0  #: of the film, before this chunk of it


def cuttings_of(recipe: Single, made: Path) -> list[Cutting]:
    """The tracks that an encode left in the folder `made` only to be cut."""
    if isinstance(recipe, EncodeAudio) and recipe.segment_seconds is not None:
        return [Cutting(track=_left(recipe, made), seconds=recipe.segment_seconds)]
    if not isinstance(recipe, EncodeVideo):
        return []
    before = recipe.chunk.frames_before if recipe.chunk is not None else 0
    return [
        Cutting(
            track=_left(rendition, made),
            seconds=float(rendition.segment_frames / Fraction(recipe.rate)),
            number=before // rendition.segment_frames,
            frames_before=before,
        )
        for rendition in recipe.renditions
        if rendition.segment_frames is not None
    ]


def _left(one: VideoRendition | EncodeAudio, made: Path) -> TrackFile:
    home = staged(one.codec)
    return TrackFile(name=one.name, path=made / f"{one.name}.{home.ending}", demuxer=home.demuxer)


def hls_argv(cuttings: Sequence[Cutting], target: Path, *, tools: Tools) -> list[str]:
    """Cut every track into fragmented MP4 segments in a folder of its name, in one run."""
    argv = [*begin(tools)]
    for cutting in cuttings:
        argv += _ours(cutting.track)
    for number, cutting in enumerate(cuttings):
        folder = target / cutting.track.name
        argv += [
            "-map", f"{number}:0", "-c", "copy", "-map_metadata", "-1",
            # Leave the clocks alone: an edit list in each header then says where the first frame is shown, and tracks
            # that are cut one by one stay together.
            "-avoid_negative_ts", "disabled",
            "-f", "hls", "-hls_time", f"{cutting.seconds - _EARLY_SECONDS:.6f}", "-start_number", str(cutting.number),
            "-hls_playlist_type", "vod", "-hls_list_size", "0",
            "-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", INIT, "-hls_flags", "independent_segments",
            "-hls_segment_filename", f"{folder}/%05d.m4s",
            f"{folder}/{PLAYLIST}",
        ]  # fmt: skip
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
) -> list[str]:
    """Join tracks into one file; `sample_rate` is that of its first sound, `chapters` the file that `chapter_file` makes."""
    argv = [*begin(tools)]
    for track in tracks:
        argv += _ours(track)
    if chapters is not None:
        argv += ["-protocol_whitelist", "file,pipe", "-f", "ffmetadata", "-i", f"file:{chapters}"]
    for number in range(len(tracks)):
        argv += ["-map", f"{number}:0"]
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
    edits = exact_edits(MUXERS[container][-1], sample_rate)
    return [*argv, *edits, *MUXERS[container], f"file:{target}"]
