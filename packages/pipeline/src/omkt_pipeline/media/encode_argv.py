"""The command lines of encode tasks. Pure: a recipe in, words out."""

from collections.abc import Sequence
from pathlib import Path

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import Colour
from omkt_pipeline.domain.recipe import (
    Chunk,
    EncodeAudio,
    EncodeBoard,
    EncodePreview,
    EncodeStills,
    EncodeTexts,
    EncodeVideo,
    Still,
)
from omkt_pipeline.media.colouring import TAGGED, kept, scaled, tone_mapped
from omkt_pipeline.media.containers import staged
from omkt_pipeline.media.encoders import audio_encoder, video_encoder
from omkt_pipeline.media.loudness import MEASURE, Loudness, normalised
from omkt_pipeline.media.source import opened
from omkt_pipeline.media.tools import Tools

#: Only frames that are marked so are touched: many sources are interlaced in parts.
_DEINTERLACE = "bwdif=mode=send_frame:parity=auto:deint=interlaced"


#: Bytes of one track of titles; a long film with much talk has a tenth of a megabyte.
_LARGEST_TEXT = 16_000_000

#: ffmpeg's exit status for it.
TOO_MANY_DECODE_ERRORS = 69


def begin(tools: Tools) -> list[str]:
    """How every ffmpeg is started."""
    return [
        str(tools.ffmpeg), "-hide_banner", "-nostdin", "-y",
        # A source of which half cannot be decoded is damaged, however well the rest goes.
        "-max_error_rate", "0.5",
        # stderr is kept for trouble; progress goes to stdout.
        "-loglevel", "error", "-nostats", "-stats_period", "0.5", "-progress", "pipe:1",
    ]  # fmt: skip


#: Nothing of the source but the chosen track goes into an output: no tags, chapters, data or subtitles.
_NOTHING_ELSE = ["-map_metadata", "-1", "-map_chapters", "-1", "-dn", "-sn"]


def video_argv(
    recipe: EncodeVideo, source: Path, target: Path, *, tools: Tools, limits: Limits, threads: int
) -> list[str]:
    """Decode once, encode every rendition into `target`/NAME.ENDING, video alone."""
    argv = video_source_argv(recipe, source, tools=tools, limits=limits, threads=threads)
    for number, rendition in enumerate(recipe.renditions):
        argv += [
            "-map", f"[v{number}]", *_NOTHING_ELSE, *video_encoder(rendition, threads, recipe.mastering),
            # The same constant rate on the way out fills the time before a late first frame.
            "-r", recipe.rate, "-fps_mode", "cfr",
            "-t", f"{limits.max_duration_seconds:.0f}", "-fs", str(limits.max_file_bytes),
            "-f", staged(rendition.codec).muxer, f"file:{target / rendition.name}.{staged(rendition.codec).ending}",
        ]  # fmt: skip
    return argv


def video_source_argv(recipe: EncodeVideo, source: Path, *, tools: Tools, limits: Limits, threads: int) -> list[str]:
    """The first half of `video_argv`: what is read, and the pictures [v0], [v1]… that are made of it."""
    argv = [*begin(tools), "-threads", str(threads)]
    seek = recipe.chunk.seek if recipe.chunk is not None else None
    if seek is not None:
        # The timestamps of the frames are those that they have when the whole file is read.
        argv += ["-copyts", "-start_at_zero", "-noaccurate_seek"]
    argv += opened(source, recipe.input.demuxer, limits, seek=seek)
    return [*argv, "-filter_complex_threads", str(threads), "-filter_complex", video_graph(recipe, tools)]


def video_graph(recipe: EncodeVideo, tools: Tools) -> str:
    """The filter graph: what all renditions share first, then one branch for each."""
    shared = [*([_DEINTERLACE] if recipe.deinterlace else []), f"fps={recipe.rate}"]
    if recipe.chunk is not None:
        shared += _frames_of(recipe.chunk)
    colour: Colour | None = recipe.colour
    toned = [r for r in recipe.renditions if not r.hdr] if recipe.tone_map and tools.has_zscale else []
    if toned:
        colour = None
    # What is brought down to SDR is so once, at its largest size, beside what stays in HDR.
    ways = ["t"] * bool(toned) + [f"s{number}" for number, r in enumerate(recipe.renditions) if r not in toned]
    chains = [f"[0:{recipe.input.index}]{','.join(shared)},split={len(ways)}{_outlets(ways)}"]
    if toned and recipe.tone_map:
        branches = [f"s{number}" for number, r in enumerate(recipe.renditions) if r in toned]
        sdr = tone_mapped(recipe.tone_map, recipe.colour, toned[0].width, toned[0].height)
        chains.append(f"[t]{sdr},split={len(branches)}{_outlets(branches)}")
    for number, r in enumerate(recipe.renditions):
        sdr = f"{scaled(r.width, r.height, colour)},format=yuv420p,setsar=1,{TAGGED}"
        chains.append(f"[s{number}]{kept(r.width, r.height, recipe.colour) if r.hdr else sdr}[v{number}]")
    return ";".join(chains)


def _outlets(names: Sequence[str]) -> str:
    return "".join(f"[{name}]" for name in names)


def _frames_of(chunk: Chunk) -> list[str]:
    """Filters behind `fps`, where a timestamp is the number of a frame: let the chunk's frames through, and no others.

    When reading began too late, frames are missing at the end of it, and counting finds that out.
    """
    begin = [f"start_pts={chunk.first}"] if chunk.first else []
    end = [f"end_pts={chunk.first + chunk.frames}"] if chunk.frames is not None else []
    return [f"trim={':'.join([*begin, *end])}", *(["setpts=PTS-STARTPTS"] if chunk.first else [])]


def audio_argv(
    recipe: EncodeAudio,
    source: Path,
    target: Path,
    *,
    tools: Tools,
    limits: Limits,
    loudness: Loudness | None = None,
) -> list[str]:
    """Encode one sound track, whole, into `target`/NAME.ENDING; brought to the recipe's `loudness` when it was measured."""
    filters = _sound(recipe)
    if loudness is not None and recipe.loudness is not None:
        filters += [*normalised(loudness, recipe.loudness), f"aresample={recipe.sample_rate}"]
    return [
        *begin(tools), *opened(source, recipe.input.demuxer, limits),
        "-map", f"0:{recipe.input.index}", "-vn", *_NOTHING_ELSE,
        "-af", ",".join(filters), *audio_encoder(recipe),
        "-t", f"{limits.max_duration_seconds:.0f}", "-fs", str(limits.max_file_bytes),
        "-f", staged(recipe.codec).muxer, f"file:{target / recipe.name}.{staged(recipe.codec).ending}",
    ]  # fmt: skip


def loudness_argv(recipe: EncodeAudio, source: Path, *, tools: Tools, limits: Limits) -> list[str]:
    """Measure how loud the sound of a recipe is; the answer is the last that ffmpeg says."""
    return [
        *begin(tools), "-loglevel", "info", *opened(source, recipe.input.demuxer, limits),
        "-map", f"0:{recipe.input.index}", "-vn", *_NOTHING_ELSE, "-af", ",".join([*_sound(recipe), MEASURE]),
        "-t", f"{limits.max_duration_seconds:.0f}", "-f", "null", "-",
    ]  # fmt: skip


def _sound(recipe: EncodeAudio) -> list[str]:
    """Filters: gaps are filled with silence and the sound begins with the file, so that it stays with the picture."""
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}.get(recipe.channels, f"{recipe.channels}c")
    return [f"aresample={recipe.sample_rate}:async=1:first_pts=0", f"aformat=channel_layouts={layout}"]


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


def board_argv(
    recipe: EncodeBoard, source: Path, target: Path, *, tools: Tools, limits: Limits, threads: int
) -> list[str]:
    """Take small pictures into `target`/NAME-001.jpg and so on, in one run over the film."""
    colour = None if recipe.tone_map and tools.has_zscale else recipe.colour
    # What is shown at 0, at `apart`, at twice that…; where decoding ends a little early, its last frame again.
    chosen = [f"fps=1/{recipe.apart:g}:start_time=0:round=up", f"tpad=stop={recipe.count}:stop_mode=clone"]
    filters = _prepared(recipe, recipe.width, recipe.height, tools, before=chosen)
    filters += [f"trim=end_frame={recipe.count}", scaled(recipe.width, recipe.height, colour, full_range=True)]
    filters += ["format=yuvj420p", "setsar=1", f"tile={recipe.columns}x{recipe.rows}"]
    return [
        *begin(tools), "-threads", str(threads), *(["-skip_frame", "nokey"] if recipe.keys_only else []),
        *opened(source, recipe.input.demuxer, limits),
        "-map", f"0:{recipe.input.index}", "-an", *_NOTHING_ELSE, "-vf", ",".join(filters), "-fps_mode", "passthrough",
        "-c:v", "mjpeg", "-threads", "1", "-q:v", str(recipe.quality), "-f", "image2", f"{target}/{recipe.name}-%03d.jpg",
    ]  # fmt: skip


def preview_argv(
    recipe: EncodePreview, source: Path, target: Path, *, tools: Tools, limits: Limits, threads: int
) -> list[str]:
    """Put some moments behind each other into `target`/NAME.mp4."""
    argv = [*begin(tools), "-threads", str(threads)]
    for start in recipe.starts:
        argv += opened(source, recipe.input.demuxer, limits, seek=start or None)
    made = recipe.rendition
    colour = None if recipe.tone_map and tools.has_zscale else recipe.colour
    shared = _prepared(recipe, made.width, made.height, tools, before=[f"fps={recipe.rate}:start_time=0"])
    shared += [
        f"trim=end_frame={recipe.frames}",
        scaled(made.width, made.height, colour),
        "format=yuv420p",
        "setsar=1",
        TAGGED,
    ]
    chains = [f"[{n}:{recipe.input.index}]{','.join(shared)}[p{n}]" for n in range(len(recipe.starts))]
    joined = "".join(f"[p{n}]" for n in range(len(recipe.starts)))
    chains.append(f"{joined}concat=n={len(recipe.starts)}[v]")
    return [
        *argv, "-filter_complex_threads", str(threads), "-filter_complex", ";".join(chains), "-map", "[v]", *_NOTHING_ELSE,
        *video_encoder(made, threads), "-r", recipe.rate, "-fps_mode", "cfr", "-fs", str(limits.max_file_bytes),
        "-f", staged(made.codec).muxer, f"file:{target / made.name}.{staged(made.codec).ending}",
    ]  # fmt: skip


def _prepared(
    recipe: EncodeBoard | EncodePreview, width: int, height: int, tools: Tools, *, before: Sequence[str]
) -> list[str]:
    """Filters for whole frames in SDR, of which `before` chooses."""
    filters = [*([_DEINTERLACE] if recipe.deinterlace else []), *before]
    if recipe.tone_map and tools.has_zscale:
        filters.append(tone_mapped(recipe.tone_map, recipe.colour, width, height))
    return filters


def still_argv(
    recipe: EncodeStills, still: Still, source: Path, target: Path, *, tools: Tools, limits: Limits, at: float
) -> list[str]:
    """Take one still at or after `at` seconds into `target`/NAME.jpg."""
    filters = [_DEINTERLACE] if recipe.deinterlace else []
    if still.choose_from > 1:
        filters.append(f"thumbnail=n={still.choose_from}")
    colour: Colour | None = recipe.colour
    if recipe.tone_map and tools.has_zscale:
        filters.append(tone_mapped(recipe.tone_map, recipe.colour, still.width, still.height))
        colour = None
    filters += [scaled(still.width, still.height, colour, full_range=True), "format=yuvj420p", "setsar=1"]
    return [
        *begin(tools), "-threads", "1", *opened(source, recipe.input.demuxer, limits, seek=at),
        "-map", f"0:{recipe.input.index}", "-an", *_NOTHING_ELSE,
        "-vf", ",".join(filters), "-frames:v", "1",
        "-c:v", "mjpeg", "-threads", "1", "-q:v", str(still.quality), "-f", "mjpeg", f"file:{target / still.name}.jpg",
    ]  # fmt: skip
