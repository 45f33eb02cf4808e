"""The sounds of a film copied out of it, without decoding: packet for packet what a reader of the film would be given.

Proven, not believed: both are listed packet by packet (ffmpeg's framecrc: times, size, checksum and side data of each, and what
each decoder is set up with), and only a copy whose list is the film's is used.
"""

from collections.abc import Sequence
from pathlib import Path

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.recipe import Extract
from omkt_pipeline.media.encode_argv import NOTHING_ELSE, begin
from omkt_pipeline.media.source import opened
from omkt_pipeline.media.tools import Tools


def extract_argv(
    recipe: Extract, source: Path, target: Path, packets: Path, *, tools: Tools, limits: Limits
) -> list[str]:
    """Copy the tracks of a recipe into `target`, in its order, and list their packets in `packets`, reading the source once."""
    tracks = [word for index in recipe.indexes for word in ("-map", f"0:{index}")]
    return [
        *begin(tools), *opened(source, recipe.demuxer, limits),
        *tracks, "-vn", *NOTHING_ELSE, "-c", "copy", "-avoid_negative_ts", "disabled",
        "-fs", str(limits.max_file_bytes), "-f", recipe.demuxer, f"file:{target}",
        *tracks, "-vn", *NOTHING_ELSE, *_listed(packets),
    ]  # fmt: skip


def packets_argv(recipe: Extract, copy: Path, packets: Path, *, tools: Tools, limits: Limits) -> list[str]:
    """List the packets of a copy as its readers are given them: its times are those that count."""
    tracks = [word for number in range(len(recipe.indexes)) for word in ("-map", f"0:{number}")]
    opening = opened(copy, recipe.demuxer, limits)
    return [*begin(tools), "-copyts", *opening, *tracks, "-vn", *NOTHING_ELSE, *_listed(packets)]


def alike(lists: Sequence[Path]) -> bool:
    """Whether lists of packets say the same, whatever order tracks take turns in."""
    first, *others = (sorted(path.read_bytes().splitlines()) for path in lists)
    return all(other == first for other in others)


def _listed(packets: Path) -> list[str]:
    return ["-c", "copy", "-avoid_negative_ts", "disabled", "-f", "framecrc", f"file:{packets}"]
