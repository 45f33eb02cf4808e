"""The command lines of stills, storyboards and previews. Pure: a recipe in, words out."""

from collections.abc import Sequence
from pathlib import Path

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import Colour
from omkt_pipeline.domain.recipe import EncodeBoard, EncodePreview, EncodeStills, Still
from omkt_pipeline.media.colouring import TAGGED, scaled, tone_mapped
from omkt_pipeline.media.containers import staged
from omkt_pipeline.media.encode_argv import DEINTERLACE, NOTHING_ELSE, begin, for_the_clock
from omkt_pipeline.media.encoders import video_encoder
from omkt_pipeline.media.source import opened
from omkt_pipeline.media.tools import Tools


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
        "-map", f"0:{recipe.input.index}", "-an", *NOTHING_ELSE, "-vf", ",".join(filters), "-fps_mode", "passthrough",
        "-c:v", "mjpeg", "-threads", "1", "-q:v", str(recipe.quality), "-f", "image2", f"{target}/{recipe.name}-%03d.jpg",
        *for_the_clock(recipe.input),
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
        *argv, "-filter_complex_threads", str(threads), "-filter_complex", ";".join(chains), "-map", "[v]", *NOTHING_ELSE,
        *video_encoder(made, threads), "-r", recipe.rate, "-fps_mode", "cfr", "-fs", str(limits.max_file_bytes),
        "-f", staged(made.codec).muxer, f"file:{target / made.name}.{staged(made.codec).ending}",
    ]  # fmt: skip


def _prepared(
    recipe: EncodeBoard | EncodePreview, width: int, height: int, tools: Tools, *, before: Sequence[str]
) -> list[str]:
    """Filters for whole frames in SDR, of which `before` chooses."""
    filters = [*([DEINTERLACE] if recipe.deinterlace else []), *before]
    if recipe.tone_map and tools.has_zscale:
        filters.append(tone_mapped(recipe.tone_map, recipe.colour, width, height))
    return filters


def still_argv(
    recipe: EncodeStills, still: Still, source: Path, target: Path, *, tools: Tools, limits: Limits, at: float
) -> list[str]:
    """Take one still at or after `at` seconds into `target`/NAME.jpg; the first one without a search, which may miss it."""
    filters = [DEINTERLACE] if recipe.deinterlace else []
    if still.choose_from > 1:
        filters.append(f"thumbnail=n={still.choose_from}")
    colour: Colour | None = recipe.colour
    if recipe.tone_map and tools.has_zscale:
        filters.append(tone_mapped(recipe.tone_map, recipe.colour, still.width, still.height))
        colour = None
    filters += [scaled(still.width, still.height, colour, full_range=True), "format=yuvj420p", "setsar=1"]
    return [
        *begin(tools), "-threads", "1", *opened(source, recipe.input.demuxer, limits, seek=at or None),
        "-map", f"0:{recipe.input.index}", "-an", *NOTHING_ELSE,
        "-vf", ",".join(filters), "-frames:v", "1",
        "-c:v", "mjpeg", "-threads", "1", "-q:v", str(still.quality), "-f", "mjpeg", f"file:{target / still.name}.jpg",
    ]  # fmt: skip
