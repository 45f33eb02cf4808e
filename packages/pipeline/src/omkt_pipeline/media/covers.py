"""Covers: the one picture that stands for a whole sound or film."""

from pathlib import Path

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.recipe import Cover
from omkt_pipeline.media.encode_argv import NOTHING_ELSE, begin
from omkt_pipeline.media.source import opened
from omkt_pipeline.media.tools import Tools

#: Pixels of a side: what podcast directories ask for at least, and players show at most.
_LARGEST = 1400
_FITTED = f"scale=w='min({_LARGEST},iw)':h='min({_LARGEST},ih)':force_original_aspect_ratio=decrease,format=yuvj420p"


def cover_argv(cover: Cover, source: Path, target: Path, *, tools: Tools, limits: Limits) -> list[str]:
    """Decode the cover and write it as a JPEG of ours: nothing of what a stranger packed into his goes further."""
    return [
        *begin(tools), *opened(source, cover.demuxer, limits), "-map", f"0:{cover.index}", "-frames:v", "1",
        "-vf", _FITTED, "-an", *NOTHING_ELSE, "-c:v", "mjpeg", "-q:v", "3", "-f", "image2", "-update", "1", f"file:{target}",
    ]  # fmt: skip


def as_input(cover: Path) -> list[str]:
    """A JPEG of ours as ffmpeg's input."""
    return ["-protocol_whitelist", "file,pipe", "-f", "jpeg_pipe", "-i", f"file:{cover}"]


def as_track(place: int, number: int) -> list[str]:
    """What the input of this number becomes: the attached picture at this place among the tracks."""
    said = [f"-metadata:s:{place}", "title=Cover", f"-metadata:s:{place}", "comment=Cover (front)"]
    return ["-map", f"{number}:0", f"-disposition:{place}", "attached_pic", *said]
