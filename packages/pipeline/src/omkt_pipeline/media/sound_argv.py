"""The command lines of sounds and titles. Pure: a recipe in, words out."""

from collections.abc import Sequence
from pathlib import Path

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import Loudness
from omkt_pipeline.domain.recipe import EncodeAudio, EncodeTexts
from omkt_pipeline.media.containers import exact_edits, staged
from omkt_pipeline.media.encode_argv import NOTHING_ELSE, begin, for_the_clock
from omkt_pipeline.media.encoders import audio_encoder
from omkt_pipeline.media.loudness import MEASURE, normalised
from omkt_pipeline.media.source import opened
from omkt_pipeline.media.tools import Tools

_STEREO = 2
#: The layout of so many channels that every encoder here takes: those of RFC 7845, section 5.1.1.2, with ffmpeg's names.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
#: Samples of the shortest sound of a codec: no reader believes that a single frame of MP2, of 1152 samples, is a file.
_SHORTEST = {"mp2": 1153}
#: Bytes of one track of titles; a long film with much talk has a tenth of a megabyte.
_LARGEST_TEXT = 16_000_000


def audio_argv(
    recipe: EncodeAudio,
    source: Path,
    target: Path,
    *,
    tools: Tools,
    limits: Limits,
    loudness: Loudness | None = None,
    timed: bool = False,
) -> list[str]:
    """Encode one sound track, whole, into `target`/NAME.ENDING; brought to the recipe's `loudness` when it was measured.

    `timed`: the source is what was made of one (`steady_argv`, media/extract.py), whose times are those that count.
    """
    more: list[str] = []
    if loudness is not None and recipe.loudness is not None:
        more = [*normalised(loudness, recipe.loudness), f"aresample={recipe.sample_rate}"]
    return [
        *begin(tools), *_times(timed), *opened(source, recipe.input.demuxer, limits),
        *_sound(recipe, more), "-vn", *NOTHING_ELSE, *audio_encoder(recipe),
        *exact_edits(staged(recipe.codec).muxer, recipe.sample_rate),
        "-t", f"{limits.max_duration_seconds:.0f}", "-fs", str(limits.max_file_bytes),
        "-f", staged(recipe.codec).muxer, f"file:{target / recipe.name}.{staged(recipe.codec).ending}",
        *for_the_clock(recipe.input),
    ]  # fmt: skip


def steady_argv(
    recipe: EncodeAudio, source: Path, target: Path, *, tools: Tools, limits: Limits, timed: bool = False
) -> list[str]:
    """Decode a sound whose layout or rate changes in the middle into one that has the same all the way, with its times.

    At each change ffmpeg builds its filters anew, and a filter that fills the time before the first sample with silence
    would do so again.
    """
    layout = _layout(recipe)
    return [
        *begin(tools), *_times(timed), *opened(source, recipe.input.demuxer, limits), "-map", f"0:{recipe.input.index}",
        "-af", f"aresample={recipe.sample_rate},aformat=channel_layouts={layout}", "-vn", *NOTHING_ELSE,
        "-c:a", "flac", "-sample_fmt", "s16", "-avoid_negative_ts", "disabled",
        "-t", f"{limits.max_duration_seconds:.0f}", "-fs", str(limits.max_file_bytes), "-f", "matroska", f"file:{target}",
        *for_the_clock(recipe.input),
    ]  # fmt: skip


def loudness_argv(recipe: EncodeAudio, source: Path, *, tools: Tools, limits: Limits, timed: bool = False) -> list[str]:
    """Measure how loud the sound of a recipe is; the answer is the last that ffmpeg says."""
    return [
        *begin(tools), "-loglevel", "info", *_times(timed), *opened(source, recipe.input.demuxer, limits),
        *_sound(recipe, [MEASURE]), "-vn", *NOTHING_ELSE,
        "-t", f"{limits.max_duration_seconds:.0f}", "-f", "null", "-", *for_the_clock(recipe.input),
    ]  # fmt: skip


def _times(timed: bool) -> list[str]:
    return ["-copyts"] if timed else []


def _sound(recipe: EncodeAudio, more: Sequence[str]) -> list[str]:
    """The sound of a recipe, with `more` filters behind it, mapped.

    Gaps are filled with silence and the sound begins with the file, so that it stays with the picture.
    """
    even = f"aresample={recipe.sample_rate}:async=1:first_pts=0"
    if recipe.begin or recipe.end is not None:
        end = f":end={recipe.end:.6f}" if recipe.end is not None else ""
        even += f",atrim=start={recipe.begin:.6f}{end},asetpts=PTS-STARTPTS"
    longer = [f"apad=whole_len={_SHORTEST[recipe.codec]}"] if recipe.codec in _SHORTEST else []
    behind = ",".join([f"aformat=channel_layouts={_layout(recipe)}", *more, *longer])
    if recipe.unplaced:
        first = "|".join(f"c{number}=c{number}" for number in range(recipe.channels))
        even = f"pan={_layout(recipe)}|{first},{even}"
    if not recipe.beside:
        return ["-map", f"0:{recipe.input.index}", "-af", f"{even},{behind}"]
    indexes = (recipe.input.index, *recipe.beside)
    places = ("FL", "FR", "FC", "LFE", "BL", "BR")[: len(indexes)]
    # The joint ends with the first of them that ends.
    long = f"aformat=channel_layouts=mono,apad=whole_dur={recipe.input.duration:g}"
    monos = [f"[0:{index}]{even},{long}[m{n}]" for n, index in enumerate(indexes)]
    inlets = "".join(f"[m{n}]" for n in range(len(indexes)))
    wiring = "|".join(f"{n}.0-{place}" for n, place in enumerate(places))
    whole = "stereo" if len(indexes) == _STEREO else "5.1"
    join = f"{inlets}join=inputs={len(indexes)}:channel_layout={whole}:map={wiring},{behind}[sound]"
    return ["-filter_complex", ";".join([*monos, join]), "-map", "[sound]"]


def _layout(recipe: EncodeAudio) -> str:
    return _LAYOUTS[recipe.channels]


def texts_argv(recipe: EncodeTexts, source: Path, target: Path, *, tools: Tools, limits: Limits) -> list[str]:
    """Read titles into `target`/NAME.vtt, all tracks in one run."""
    argv = [*begin(tools), *opened(source, recipe.input.demuxer, limits, titles=True)]
    for text in recipe.texts:
        argv += [
            "-map", f"0:{text.index}", "-vn", "-an", "-dn", "-map_metadata", "-1", "-map_chapters", "-1",
            "-c:s", "webvtt", "-t", f"{limits.max_duration_seconds:.0f}", "-fs", str(_LARGEST_TEXT),
            "-f", "webvtt", f"file:{target / text.name}.vtt",
        ]  # fmt: skip
    return argv
