"""How near an encoded picture is to its source: the same frames, scaled alike, one decoded from what was made."""

import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.recipe import EncodeVideo, VideoRendition
from omkt_pipeline.media.containers import staged
from omkt_pipeline.media.encode_argv import video_source_argv
from omkt_pipeline.media.segmenter import PLAYLIST
from omkt_pipeline.media.tools import METRICS, Tools

_SAID = {
    "ssim": re.compile(r"SSIM .*All:([\d.]+|inf)"),
    "xpsnr": re.compile(r"XPSNR\s+y: ([\d.]+|inf)"),
    "vmaf": re.compile(r"VMAF score: ([\d.]+)"),
}
#: dB that stand for no difference at all.
_SAME = 100.0


def quality_argv(
    recipe: EncodeVideo,
    rendition: VideoRendition,
    source: Path,
    made: Path,
    *,
    tools: Tools,
    limits: Limits,
    threads: int,
    images: Mapping[str, Path] | None = None,
) -> list[str]:
    """Compare a rendition in the folder `made` with its source, by what the recipe asks for and this build has."""
    alone = recipe.model_copy(update={"renditions": (rendition,)})
    *begin, graph = video_source_argv(alone, source, tools=tools, limits=limits, threads=threads, images=images)
    at = begin.index("-filter_complex_threads")
    number = begin.count("-i")
    metrics = [name for name in rendition.quality if name in tools.metrics]
    # Frame by frame, whatever the clocks of the two say.
    count = f"settb={Fraction(1) / Fraction(recipe.rate)},setpts=N"
    places = range(len(metrics))
    chains = [
        graph,
        f"[v0]{count},split={len(metrics)}{''.join(f'[r{n}]' for n in places)}",
        f"[{number}:0]{count},split={len(metrics)}{''.join(f'[m{n}]' for n in places)}",
        *(f"[m{n}][r{n}]{METRICS[name]}[q{n}]" for n, name in enumerate(metrics)),
    ]
    outputs = [word for n in places for word in ("-map", f"[q{n}]", "-f", "null", "-")]
    return [
        *begin[:at], *_made(rendition, made), *begin[at:], ";".join(chains), "-loglevel", "info", *outputs
    ]  # fmt: skip


def _made(rendition: VideoRendition, made: Path) -> list[str]:
    """Our own file, or our own segments, as an input."""
    words = ["-protocol_whitelist", "file,pipe", "-f"]
    if rendition.segment_frames is not None:
        return [*words, "hls", "-i", f"file:{made / rendition.name / PLAYLIST}"]
    home = staged(rendition.codec)
    return [*words, home.demuxer, "-i", f"file:{made / rendition.name}.{home.ending}"]


def read_quality(said: str) -> dict[str, float]:
    """What ffmpeg said at its end: SSIM (0 to 1, all planes), XPSNR (dB, luma), VMAF (0 to 100)."""
    found: dict[str, float] = {}
    for name, pattern in _SAID.items():
        for value in pattern.findall(said)[-1:]:
            found[name] = (
                1.0 if name == "ssim" and value == "inf" else _SAME if value == "inf" else round(float(value), 4)
            )
    return found


def joined_quality(pieces: Sequence[Mapping[str, float]], frames: Sequence[int]) -> dict[str, float]:
    """The same of a film of its chunks: means over frames; of decibels, over the noise that they stand for."""
    whole = sum(frames)
    names = set(pieces[0]).intersection(*pieces)

    def mean(values: Sequence[float]) -> float:
        return sum(value * count for value, count in zip(values, frames, strict=True)) / whole

    found: dict[str, float] = {}
    for name in sorted(names):
        values = [piece[name] for piece in pieces]
        decibels = name == "xpsnr"
        found[name] = round(
            -10 * math.log10(mean([10 ** (-one / 10) for one in values])) if decibels else mean(values), 4
        )
    return found
