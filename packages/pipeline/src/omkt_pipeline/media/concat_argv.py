"""The command line that lays several films behind each other. Pure: a recipe in, words out."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.recipe import Concat, ConcatPart
from omkt_pipeline.media.colouring import TAGGED, scaled, tone_mapped
from omkt_pipeline.media.encode_argv import DEINTERLACE, NOTHING_ELSE, begin
from omkt_pipeline.media.extent import slack
from omkt_pipeline.media.source import opened
from omkt_pipeline.media.tools import Tools

#: Every later encode reads from it: nobody shall see that there was one before. And fast to decode anywhere.
_PICTURE = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "10", "-flags", "+cgop", "-bf", "2")
_SOUND = ("-c:a", "alac")
_RATE = 48000
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def concat_argv(
    recipe: Concat, sources: Sequence[Path], target: Path, *, tools: Tools, limits: Limits, threads: int
) -> list[str]:
    """Read each of `sources`, the parts of a recipe in its order, and write all of them behind each other into `target`."""
    inputs = [
        word for part, path in zip(recipe.parts, sources, strict=True) for word in opened(path, part.demuxer, limits)
    ]
    picture, sound = recipe.rate is not None, bool(recipe.channels)
    chains = [chain for number, part in enumerate(recipe.parts) for chain in _chains(number, part, recipe, tools)]
    # Apart from each other: together, the filter makes a sound that is too short as long as its picture.
    chains += [
        _behind_each_other(len(recipe.parts), kind) for kind, is_there in (("v", picture), ("a", sound)) if is_there
    ]
    seconds = Fraction(recipe.rate) if recipe.rate is not None else Fraction(1)
    made_of_picture = ["-map", "[v]", *_PICTURE, "-g", str(max(1, round(seconds))), "-threads", str(threads)]
    return [
        *begin(tools), "-threads", str(threads), *inputs,
        "-filter_complex_threads", str(threads), "-filter_complex", ";".join(chains),
        *(made_of_picture if picture else []), *(["-map", "[a]", *_SOUND] if sound else []), *NOTHING_ELSE,
        "-t", f"{limits.max_duration_seconds:.0f}", "-fs", str(limits.max_file_bytes), "-f", "mov", f"file:{target}",
    ]  # fmt: skip


def _behind_each_other(count: int, kind: str) -> str:
    inlets = "".join(f"[{kind}{number}]" for number in range(count))
    return f"{inlets}concat=n={count}:v={int(kind == 'v')}:a={int(kind == 'a')}[{kind}]"


def _chains(number: int, part: ConcatPart, recipe: Concat, tools: Tools) -> list[str]:
    """Picture and sound of one part, both exactly as long as whole frames are."""
    chains: list[str] = []
    seconds = Fraction(part.seconds)
    if recipe.rate is not None:
        rate = Fraction(recipe.rate)
        frames = max(1, round(seconds * rate))
        seconds = frames / rate
        chains.append(f"{_picture(number, part, recipe, tools)},trim=end_frame={frames},setpts=PTS-STARTPTS[v{number}]")
    if recipe.channels:
        chains.append(f"{_sound(number, part, recipe)},atrim=end={float(seconds):.6f},asetpts=PTS-STARTPTS[a{number}]")
    return chains


def _picture(number: int, part: ConcatPart, recipe: Concat, tools: Tools) -> str:
    size = f"{recipe.width}x{recipe.height}"
    if part.video is None:
        return f"color=black:s={size}:r={recipe.rate},format=yuv420p,setsar=1,{TAGGED}"
    steps = [*([DEINTERLACE] if part.interlaced else []), f"fps={recipe.rate}:start_time=0"]
    if part.tone_map is not None and part.colour is not None and tools.has_zscale:
        steps.append(tone_mapped(part.tone_map, part.colour, part.width, part.height))
    else:
        steps.append(scaled(part.width, part.height, part.colour))
    # What ends before its sound stands still until then, and no longer.
    steps += [
        "format=yuv420p", f"pad={recipe.width}:{recipe.height}:-1:-1:black", "setsar=1", TAGGED,
        f"tpad=stop_duration={part.video_pad + slack(part.seconds):.3f}:stop_mode=clone",
    ]  # fmt: skip
    return f"[{number}:{part.video}]{','.join(steps)}"


def _sound(number: int, part: ConcatPart, recipe: Concat) -> str:
    layout = _LAYOUTS[recipe.channels]
    if part.audio is None:
        return f"anullsrc=r={_RATE}:cl={layout},aformat=sample_fmts=s16p"
    pad = part.audio_pad + slack(part.seconds)
    even = f"aresample={_RATE}:async=1:first_pts=0,aformat=sample_fmts=s16p:channel_layouts={layout},apad=pad_dur={pad:.3f}"
    return f"[{number}:{part.audio}]{even}"
