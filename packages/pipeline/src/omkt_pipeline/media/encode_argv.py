"""The command lines of encode tasks. Pure: a recipe in, words out."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import Colour
from omkt_pipeline.domain.recipe import Chunk, EncodeVideo, Input, VideoRendition
from omkt_pipeline.media.colouring import TAGGED, kept, scaled, tone_mapped
from omkt_pipeline.media.containers import staged
from omkt_pipeline.media.encoders import in_pass, video_encoder
from omkt_pipeline.media.marks import image_inputs, images_of, laid_over, prepared
from omkt_pipeline.media.segmenter import segmented
from omkt_pipeline.media.source import opened
from omkt_pipeline.media.tools import Tools

#: Only frames that are marked so are touched: many sources are interlaced in parts.
DEINTERLACE = "bwdif=mode=send_frame:parity=auto:deint=interlaced"


def begin(tools: Tools) -> list[str]:
    """How every ffmpeg is started."""
    return [
        str(tools.ffmpeg), "-hide_banner", "-nostdin", "-y",
        # A source of which half cannot be decoded is damaged, however well the rest goes.
        "-max_error_rate", "0.5",
        # stderr is kept for trouble; progress goes to stdout.
        "-loglevel", "error", "-nostats", "-stats_period", "0.5", "-progress", "pipe:1",
    ]  # fmt: skip


_NOWHERE = ("-c", "copy", "-f", "null", "-")
#: Nothing of the source but the chosen track goes into an output: no tags, chapters, data or subtitles.
NOTHING_ELSE = ["-map_metadata", "-1", "-map_chapters", "-1", "-dn", "-sn"]


def video_argv(
    recipe: EncodeVideo,
    source: Path,
    target: Path,
    *,
    tools: Tools,
    limits: Limits,
    threads: int,
    notes: Path = Path("notes"),
    images: Mapping[str, Path] | None = None,
) -> list[str]:
    """Decode once, encode every rendition, video alone, into `target`/NAME.ENDING, or as segments into the folder `target`/NAME.

    Renditions of two passes read what the first (`first_pass_argv`) has left in the folder `notes`. `images` says where the
    pictures of watermarks lie.
    """
    argv = video_source_argv(recipe, source, tools=tools, limits=limits, threads=threads, images=images)
    for number, rendition in enumerate(recipe.renditions):
        argv += [
            "-map", f"[v{number}]", *NOTHING_ELSE,
            *in_pass(video_encoder(rendition, threads, recipe.mastering), rendition, 2, notes),
            # The same constant rate on the way out fills the time before a late first frame.
            "-r", recipe.rate, "-fps_mode", "cfr",
            "-t", f"{limits.max_duration_seconds:.0f}", *_left(rendition, recipe, target, limits),
        ]  # fmt: skip
    return [*argv, *for_the_clock(recipe.input)]


def _left(rendition: VideoRendition, recipe: EncodeVideo, target: Path, limits: Limits) -> list[str]:
    """The form in which a rendition is left: a file, or segments in a folder of its name."""
    if rendition.segment_frames is None:
        home = staged(rendition.codec)
        return ["-fs", str(limits.max_file_bytes), "-f", home.muxer, f"file:{target / rendition.name}.{home.ending}"]
    return segmented(
        target / rendition.name,
        seconds=float(rendition.segment_frames / Fraction(recipe.rate)),
        number=recipe.frames_before // rendition.segment_frames,
    )


def for_the_clock(source: Input) -> list[str]:
    """Outputs that take what is read for its clock alone: to the end, or one packet of what the clock begins with."""
    watched = [word for index in source.clock_by for word in ("-map", f"0:{index}", *_NOWHERE)]
    if source.zero_by is None or source.zero_by in source.clock_by:
        return watched
    return [*watched, "-map", f"0:{source.zero_by}", "-frames", "1", *_NOWHERE]


def first_pass_argv(
    recipe: EncodeVideo,
    source: Path,
    notes: Path,
    *,
    tools: Tools,
    limits: Limits,
    threads: int,
    images: Mapping[str, Path] | None = None,
) -> list[str]:
    """Look through the pictures of all renditions that have two passes, and leave notes in a folder."""
    twice = tuple(rendition for rendition in recipe.renditions if rendition.two_pass)
    recipe = recipe.model_copy(update={"renditions": twice})
    argv = video_source_argv(recipe, source, tools=tools, limits=limits, threads=threads, images=images)
    for number, rendition in enumerate(twice):
        argv += [
            "-map", f"[v{number}]", *NOTHING_ELSE,
            *in_pass(video_encoder(rendition, threads, recipe.mastering), rendition, 1, notes),
            "-r", recipe.rate, "-fps_mode", "cfr",
            "-t", f"{limits.max_duration_seconds:.0f}", "-f", "null", "-",
        ]  # fmt: skip
    return argv


def video_source_argv(
    recipe: EncodeVideo,
    source: Path,
    *,
    tools: Tools,
    limits: Limits,
    threads: int,
    images: Mapping[str, Path] | None = None,
) -> list[str]:
    """The first half of `video_argv`: what is read, and the pictures [v0], [v1]… that are made of it."""
    argv = [*begin(tools), "-threads", str(threads)]
    seek = recipe.chunk.seek if recipe.chunk is not None else None
    if seek is not None:
        # The timestamps of the frames are those that they have when the whole file is read.
        argv += ["-copyts", "-start_at_zero", "-noaccurate_seek"]
    argv += opened(source, recipe.input.demuxer, limits, seek=seek)
    argv += image_inputs(recipe.renditions, images or {})
    return [*argv, "-filter_complex_threads", str(threads), "-filter_complex", video_graph(recipe, tools)]


def video_graph(recipe: EncodeVideo, tools: Tools) -> str:
    """The filter graph: what all renditions share first, then one branch for each."""
    shared = [*([DEINTERLACE] if recipe.deinterlace else []), f"fps={recipe.rate}"]
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
    images = images_of(recipe.renditions)
    for number, r in enumerate(recipe.renditions):
        sdr = f"{scaled(r.width, r.height, colour)},format=yuv420p,setsar=1"
        if r.hdr:
            chains.append(f"[s{number}]{kept(r.width, r.height, recipe.colour)}[v{number}]")
        elif r.watermark is None:
            chains.append(f"[s{number}]{sdr},{TAGGED}[v{number}]")
        else:
            chains.append(f"[{1 + images.index(r.watermark.image)}:0]{prepared(r.watermark, r)}[m{number}]")
            chains.append(
                f"[s{number}]{sdr}[f{number}];[f{number}][m{number}]{laid_over(r.watermark, r)},{TAGGED}[v{number}]"
            )
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
