"""What ffprobe says about a file that we made: enough to compare it with its plan."""

import json
import threading
from dataclasses import dataclass
from pathlib import Path

from omkt_pipeline.domain.errors import ToolError, VerifyError
from omkt_pipeline.media.process import ProcessLimits, run
from omkt_pipeline.media.tools import Tools

_LIMITS = ProcessLimits(wall_seconds=120)


@dataclass(frozen=True, kw_only=True)
class MadeTrack:
    """One track of a made file."""

    kind: str  #: video, audio
    codec: str
    duration: float
    samples: int  #: frames of video, packets of sound
    width: int = 0
    height: int = 0
    channels: int = 0


def tracks_of(path: Path, *, tools: Tools, stop: threading.Event | None = None) -> tuple[MadeTrack, ...]:
    """The tracks of a made file. Raises VerifyError when it cannot be read."""
    argv = [
        str(tools.ffprobe), "-hide_banner", "-v", "error", "-protocol_whitelist", "file,pipe", "-of", "json",
        "-show_entries", "stream=codec_type,codec_name,width,height,channels,duration,nb_frames", f"file:{path}",
    ]  # fmt: skip
    try:
        streams = json.loads(run(argv, limits=_LIMITS, stop=stop).stdout).get("streams") or []
    except (ToolError, ValueError) as error:
        raise VerifyError(f"{path.name} cannot be read back.", log_tail=getattr(error, "log_tail", None)) from error
    return tuple(
        MadeTrack(
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
