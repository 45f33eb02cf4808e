"""Which hardware encoders this host really has: the device is here, the build knows the encoder, and one frame went through.

A host without them, or with a broken one, encodes on the CPU; it only says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from omkt_pipeline.domain.errors import ToolError
from omkt_pipeline.media.process import ProcessLimits, run

#: A driver that hangs must not keep a host from its work.
_ONE_FRAME = ProcessLimits(wall_seconds=15)
_PICTURE = "color=black:size=256x256:rate=25:duration=0.04"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One maker's way into the hardware."""

    name: str
    device: str  #: the file that a container gets through compose/hardware-NAME.yaml
    before: tuple[str, ...]  #: arguments before the input
    filters: str  #: what brings a picture onto the device
    encoders: tuple[str, ...]


KINDS = (
    Kind(
        name="vaapi",
        device="/dev/dri/renderD128",
        before=("-vaapi_device", "/dev/dri/renderD128"),
        filters="format=nv12,hwupload",
        encoders=("h264_vaapi", "hevc_vaapi", "av1_vaapi"),
    ),
    Kind(
        name="nvidia",
        device="/dev/nvidiactl",
        before=(),
        filters="format=yuv420p",
        encoders=("h264_nvenc", "hevc_nvenc", "av1_nvenc"),
    ),
)


def one_frame(ffmpeg: Path, kind: Kind, encoder: str) -> list[str]:
    """The command that encodes one frame and throws it away."""
    return [
        str(ffmpeg), "-hide_banner", "-nostdin", "-loglevel", "error", *kind.before,
        "-f", "lavfi", "-i", _PICTURE, "-vf", kind.filters, "-frames:v", "1", "-c:v", encoder, "-f", "null", "-",
    ]  # fmt: skip


def hardware_encoders(
    ffmpeg: Path,
    *,
    is_device: Callable[[str], bool] = lambda name: Path(name).exists(),
    attempt: Callable[[list[str]], str | None] | None = None,
) -> Mapping[str, str]:
    """What each hardware encoder of the devices here is good for: `usable`, or why not. Empty without a device.

    `attempt` runs a command and returns None, or why it failed.
    """
    tried = attempt or _attempt
    return {
        encoder: tried(one_frame(ffmpeg, kind, encoder)) or "usable"
        for kind in KINDS
        if is_device(kind.device)
        for encoder in kind.encoders
    }


def _attempt(argv: list[str]) -> str | None:
    try:
        run(argv, limits=_ONE_FRAME)
    except ToolError as error:
        said = (error.log_tail or "").strip().splitlines()
        return (said[-1] if said else error.message)[:200]
    return None
