"""What is inside a file that we made: enough to compare it with its plan."""

import json
import threading
from pathlib import Path

from omkt_pipeline.domain.errors import ToolError, VerifyError
from omkt_pipeline.media.moov import MovieTrack, movie_tracks
from omkt_pipeline.media.process import ProcessLimits, run
from omkt_pipeline.media.tools import Tools

_LIMITS = ProcessLimits(wall_seconds=120)


def tracks_of(path: Path, *, tools: Tools, stop: threading.Event | None = None) -> tuple[MovieTrack, ...]:
    """The tracks of a made file. Raises VerifyError when it cannot be read.

    Starting ffprobe costs as much as encoding some frames, and a ladder has a file for each rung: it is asked only where
    the movie header does not say all.
    """
    return movie_tracks(path) or probed_tracks(path, tools=tools, stop=stop)


def probed_tracks(path: Path, *, tools: Tools, stop: threading.Event | None) -> tuple[MovieTrack, ...]:
    """The tracks as ffprobe sees them. Raises VerifyError when it cannot read the file."""
    argv = [
        str(tools.ffprobe), "-hide_banner", "-v", "error", "-protocol_whitelist", "file,pipe", "-of", "json",
        "-show_entries", "stream=codec_type,codec_name,width,height,channels,duration,nb_frames", f"file:{path}",
    ]  # fmt: skip
    try:
        streams = json.loads(run(argv, limits=_LIMITS, stop=stop).stdout).get("streams") or []
    except (ToolError, ValueError) as error:
        raise VerifyError(f"{path.name} cannot be read back.", log_tail=getattr(error, "log_tail", None)) from error
    return tuple(
        MovieTrack(
            kind=str(stream.get("codec_type")),
            codec=str(stream.get("codec_name")),
            duration=float(stream.get("duration") or 0.0),
            samples=int(stream.get("nb_frames") or 0),
            width=int(stream.get("width") or 0),
            height=int(stream.get("height") or 0),
            channels=int(stream.get("channels") or 0),
        )
        for stream in streams
    )
