"""A preset: what a client can ask for by name. Typed, versioned, shipped as YAML; no client's string reaches a command line."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    """A frozen value whose unknown fields are mistakes: a preset with a typing error must not load."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Rung(_Strict):
    """One quality step. The picture is fitted into a 16:9 box (9:16 for portrait) whose short side is `size`."""

    size: int = Field(ge=64, le=4320)
    crf: int = Field(ge=0, le=51)  #: constant quality of x264; lower is better
    max_kbps: int = Field(ge=50)  #: never more than this, over the buffer of `buffer_seconds`


class VideoSettings(_Strict):
    """How pictures are encoded, for all rungs of a preset."""

    codec: Literal["h264"] = "h264"
    speed: Literal["veryfast", "faster", "fast", "medium", "slow"] = "fast"
    profile: Literal["baseline", "main", "high"] = "high"
    gop_seconds: float = Field(2.0, gt=0, le=10)
    max_rate: int = Field(60, ge=1, le=120)  #: frames per second
    buffer_seconds: float = Field(2.0, gt=0)
    rungs: tuple[Rung, ...] = Field(min_length=1)


class AudioSettings(_Strict):
    """How sound is encoded."""

    codec: Literal["aac"] = "aac"
    max_channels: int = Field(2, ge=1, le=8)
    kbps_per_channel: int = Field(64, ge=16, le=256)


class _Preset(_Strict):
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    version: int = Field(ge=1)
    title: str


class HlsPreset(_Preset):
    """An HLS presentation in fragmented MP4: one playlist per rung, one audio group, a master playlist."""

    kind: Literal["hls"]
    video: VideoSettings
    audio: AudioSettings
    segment_seconds: float = Field(6.0, gt=0, le=20)


class Mp4Preset(_Preset):
    """One progressive MP4 file that starts to play before it is fully loaded."""

    kind: Literal["mp4"]
    video: VideoSettings
    audio: AudioSettings


class AudioPreset(_Preset):
    """One audio file."""

    kind: Literal["audio"]
    audio: AudioSettings


class ThumbnailsPreset(_Preset):
    """Stills spread evenly over the film."""

    kind: Literal["thumbnails"]
    count: int = Field(ge=1, le=100)
    size: int = Field(ge=16, le=2160)  #: short side of the box, as for a rung
    quality: int = Field(4, ge=2, le=31)  #: of JPEG; 2 is best


class PosterPreset(_Preset):
    """One still that stands for the film."""

    kind: Literal["poster"]
    at: float = Field(0.1, ge=0, lt=1)  #: where to begin to look, as a part of the duration
    size: int = Field(ge=16, le=4320)
    quality: int = Field(3, ge=2, le=31)


Preset = Annotated[
    HlsPreset | Mp4Preset | AudioPreset | ThumbnailsPreset | PosterPreset,
    Field(discriminator="kind"),
]
