"""What is inside a file that we made: enough to compare it with its plan."""

import hashlib
import itertools
import json
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omkt_pipeline.domain.errors import ToolError, VerifyError
from omkt_pipeline.media.boxes import read_box, walk
from omkt_pipeline.media.cut import INIT, Cut
from omkt_pipeline.media.moov import MovieTrack, announced_tracks, movie_tracks
from omkt_pipeline.media.process import ProcessLimits, Reach, run
from omkt_pipeline.media.tools import Tools

_ABOUT = "codec_type,codec_name,width,height,channels,duration,nb_frames,nb_read_packets"
_LIMITS = ProcessLimits(wall_seconds=120)
#: Where MP4 keeps what a decoder must know before the first picture. VP9 has all of it in its pictures.
_CONFIGURATIONS = frozenset({b"avcC", b"hvcC", b"av1C"})


def tracks_of(path: Path, *, tools: Tools, stop: threading.Event | None = None) -> tuple[MovieTrack, ...]:
    """The tracks of a made file. Raises VerifyError when it cannot be read.

    Starting ffprobe costs as much as encoding some frames, and a ladder has a file for each rung: it is asked only where
    the movie header does not say all.
    """
    return movie_tracks(path) or probed_tracks(path, tools=tools, stop=stop)


def segmented_track(folder: Path, cut: Cut, *, tools: Tools, stop: threading.Event | None = None) -> MovieTrack:
    """The one track that lies as segments in a folder. Raises VerifyError when its header cannot be read."""
    header = folder / INIT
    tracks = announced_tracks(header) or probed_tracks(header, tools=tools, stop=stop)
    if len(tracks) != 1:
        raise VerifyError(f"{folder.name} should hold one track and nothing else.")
    return replace(tracks[0], samples=sum(cut.samples), duration=sum(cut.seconds))


@dataclass(frozen=True, kw_only=True)
class FrameClock:
    """How the frames of a track follow each other."""

    frames: int
    steps: int  #: how many different times lie between two frames that are shown one after the other
    begins_at: float  #: seconds; when the first one is shown


def frame_clock(path: Path, *, tools: Tools, stop: threading.Event | None = None) -> FrameClock:
    """The clock of a made file's only track, from its packets. Raises VerifyError when it cannot be read."""
    times: list[int] = []
    bases: list[float] = []

    def take(line: str) -> bool:
        name, _, value = line.strip().partition("=")
        if name == "pts":
            times.append(int(value))
        elif name == "time_base":
            over, under = value.split("/")
            bases.append(int(over) / int(under))
        return True

    argv = [
        str(tools.ffprobe), "-hide_banner", "-v", "error", "-protocol_whitelist", "file,pipe",
        "-show_entries", "packet=pts:stream=time_base", "-of", "default=nw=1", f"file:{path}",
    ]  # fmt: skip
    try:
        run(argv, limits=_LIMITS, reach=Reach(reads=(path,)), stop=stop, on_line=take)
        times.sort()
        steps = {later - sooner for sooner, later in itertools.pairwise(times)}
        return FrameClock(frames=len(times), steps=len(steps), begins_at=times[0] * bases[0])
    except (ToolError, ValueError, IndexError) as error:
        raise VerifyError(f"{path.name} cannot be read back.", log_tail=getattr(error, "log_tail", None)) from error


def header_of(path: Path) -> str:
    """The hash of the decoder's configuration of a made file's only track, as ffprobe says it: equal ones can follow each other.

    Raises VerifyError when the file cannot be read.
    """
    moov = read_box(path, b"moov")
    if moov is None:
        raise VerifyError(f"{path.name} cannot be read back.")
    found = next((body for kind, body in walk(moov) if kind in _CONFIGURATIONS), None)
    return "" if found is None else f"SHA256:{hashlib.sha256(found).hexdigest()}"


def probed_tracks(path: Path, *, tools: Tools, stop: threading.Event | None) -> tuple[MovieTrack, ...]:
    """The tracks as ffprobe sees them. Raises VerifyError when it cannot read the file."""
    argv = [
        str(tools.ffprobe), "-hide_banner", "-v", "error", "-protocol_whitelist", "file,pipe", "-of", "json", "-count_packets",
        "-show_entries", f"stream={_ABOUT}:stream_tags=DURATION:format=duration", f"file:{path}",
    ]  # fmt: skip
    try:
        answer = json.loads(run(argv, limits=_LIMITS, reach=Reach(reads=(path,)), stop=stop).stdout)
    except (ToolError, ValueError) as error:
        raise VerifyError(f"{path.name} cannot be read back.", log_tail=getattr(error, "log_tail", None)) from error
    whole = (answer.get("format") or {}).get("duration")
    return tuple(
        MovieTrack(
            kind=str(stream.get("codec_type")),
            codec=str(stream.get("codec_name")),
            duration=float(stream.get("duration") or _clock(stream) or whole or 0.0),
            samples=int(stream.get("nb_frames") or stream.get("nb_read_packets") or 0),
            width=int(stream.get("width") or 0),
            height=int(stream.get("height") or 0),
            channels=int(stream.get("channels") or 0),
        )
        for stream in answer.get("streams") or []
    )


def _clock(stream: dict[str, Any]) -> float | None:
    """Matroska says a track's length in a tag: hours, minutes and seconds."""
    parts = str((stream.get("tags") or {}).get("DURATION", "")).split(":")
    return int(parts[0]) * 3600 + int(parts[1]) * 60 + float(parts[2]) if len(parts) == 3 else None
