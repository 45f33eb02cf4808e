"""A preset: what a client can ask for by name. Typed, versioned, shipped as YAML; no client's string reaches a command line."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

VideoCodec = Literal["h264", "hevc", "vp9", "vp8", "av1", "mpeg2video", "flv1"]
AudioCodec = Literal["aac", "opus", "vorbis", "mp3", "mp2"]
Container = Literal["mp4", "webm", "mkv", "flv", "mpg", "ts", "m4a", "mp3", "ogg"]

#: What each container carries, and players of it understand.
CARRIES: dict[str, frozenset[str]] = {
    "mp4": frozenset({"h264", "hevc", "vp9", "av1", "mpeg2video", "aac", "opus", "mp3"}),
    "webm": frozenset({"vp8", "vp9", "av1", "vorbis", "opus"}),
    "mkv": frozenset({"h264", "hevc", "vp9", "vp8", "av1", "mpeg2video", "aac", "opus", "vorbis", "mp3", "mp2"}),
    "flv": frozenset({"flv1", "h264", "mp3", "aac"}),
    "mpg": frozenset({"mpeg2video", "mp2", "mp3"}),
    "ts": frozenset({"h264", "hevc", "mpeg2video", "aac", "mp2", "mp3"}),
    "m4a": frozenset({"aac"}),
    "mp3": frozenset({"mp3"}),
    "ogg": frozenset({"vorbis", "opus"}),
}
#: What a preset may be called.
ID_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"
#: Containers that carry titles as text.
CARRIES_TITLES = frozenset({"mp4", "mkv", "webm"})


class _Strict(BaseModel):
    """A frozen value whose unknown fields are mistakes: a preset with a typing error must not load."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Rung(_Strict):
    """One quality step. The picture is fitted into a 16:9 box (9:16 for portrait) whose short side is `size`."""

    size: int = Field(ge=64, le=4320)
    crf: int | None = Field(None, ge=0, le=63)  #: constant quality on the codec's own scale; lower is better
    kbps: int | None = Field(None, ge=50)  #: average bitrate, instead of a constant quality
    max_kbps: int = Field(ge=50)  #: never more than this, over the buffer of `buffer_seconds`

    @model_validator(mode="after")
    def _quality_or_rate(self) -> Self:
        if (self.crf is None) == (self.kbps is None):
            raise ValueError("a rung has either crf or kbps")
        return self


class WatermarkSettings(_Strict):
    """A picture that lies over the film from its beginning to its end."""

    image: str = Field(min_length=1, max_length=300)  #: a PNG, by its path below the share's folder `incoming`
    corner: Literal["top-left", "top-right", "bottom-left", "bottom-right", "center"] = "bottom-right"
    size: float = Field(0.15, gt=0, le=1)  #: its width, as a part of the film's
    margin: float = Field(0.04, ge=0, le=0.5)  #: to the edges, as a part of the film's short side
    opacity: float = Field(1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _plain_path(self) -> Self:
        if any(part in ("", ".", "..") for part in self.image.split("/")) or not self.image.isprintable():
            raise ValueError("a watermark's image is a plain path below the folder incoming")
        return self


class VideoSettings(_Strict):
    """How pictures are encoded, for all rungs of a preset."""

    codec: VideoCodec = "h264"
    speed: Literal["veryfast", "faster", "fast", "medium", "slow"] = "fast"
    two_pass: bool = False  #: an average bitrate is reached by looking through the whole first
    hdr: bool = False  #: pictures in HDR stay in HDR, with ten bits; else they are brought down to SDR
    profile: Literal["baseline", "main", "high"] = "high"  #: of H.264
    gop_seconds: float = Field(2.0, gt=0, le=10)
    max_rate: int = Field(60, ge=1, le=120)  #: frames per second
    buffer_seconds: float = Field(2.0, gt=0)
    watermark: WatermarkSettings | None = None
    #: auto: samples of the film decide which rungs are worth having
    ladder: Literal["fixed", "auto"] = "fixed"
    #: Measured of each rung against the source and told with the result; each costs one more decoding, and VMAF much more.
    quality: tuple[Literal["ssim", "xpsnr", "vmaf"], ...] = Field((), max_length=3)
    rungs: tuple[Rung, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rate_control(self) -> Self:
        if self.codec in ("mpeg2video", "flv1") and any(rung.kbps is None for rung in self.rungs):
            raise ValueError(f"{self.codec} has no constant quality: its rungs need kbps")
        if self.two_pass and (self.codec in ("av1", "flv1") or any(rung.kbps is None for rung in self.rungs)):
            raise ValueError("two passes are for an average bitrate (kbps), in h264, hevc, vp8, vp9 and mpeg2video")
        if self.ladder == "auto" and any(rung.crf is None for rung in self.rungs):
            raise ValueError("a ladder that fits the film is found at constant quality: its rungs need crf")
        if self.hdr and self.codec not in ("hevc", "av1"):
            raise ValueError(f"HDR is kept in hevc and av1, not in {self.codec}")
        if self.hdr and self.watermark is not None:
            raise ValueError("a watermark is laid over SDR alone")
        return self


class AudioSettings(_Strict):
    """How sound is encoded."""

    codec: AudioCodec = "aac"
    every_language: bool = False  #: one track for each language of the source, not the default one alone
    max_channels: int = Field(2, ge=1, le=8)
    kbps_per_channel: int = Field(64, ge=16, le=256)
    best: bool = False  #: variable bitrate at the highest usual quality (MP3's V0), instead of kbps_per_channel
    sample_rate: Literal[22050, 44100, 48000] | None = None  #: Hz; None: the source's family, 44100 or 48000
    #: LUFS to which the whole is brought in two passes (EBU R 128, ITU-R BS.1770); None: as loud as the source
    loudness: float | None = Field(None, ge=-40, le=-5)

    @model_validator(mode="after")
    def _what_codecs_can(self) -> Self:
        if self.codec in ("mp3", "mp2") and self.max_channels > 2:
            raise ValueError(f"{self.codec} has two channels at most")
        if self.best and self.codec not in ("mp3", "vorbis"):
            raise ValueError(f"{self.codec} has no variable bitrate here")
        if self.codec == "opus" and self.sample_rate not in (None, 48000):
            raise ValueError("opus is always 48000 Hz")
        return self


class Trim(_Strict):
    """A part of the source, in seconds from its beginning, exact to the frame (of sound alone, to the sample)."""

    start: float = Field(0.0, ge=0)  #: the first frame is the first one that is shown at this moment or later
    end: float | None = Field(None, gt=0)  #: the last frame is shown before this; None: to the end

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError("a part ends after its start")
        return self


class Omkt(_Strict):
    """How clients of the original know a preset: its number, its name and the ending of its files."""

    id: int = Field(ge=1)
    slug: str = Field(pattern=r"^[a-z0-9_]+$")
    extension: str = Field(pattern=r"^[a-z0-9]+$")
    recommended: bool = False  #: selected beforehand in a client's list
    cardinality: int = Field(1, ge=1)  #: files at most; more than one are delivered as a zip
    kind: Literal["video", "audio", "thumbnails"] = "video"  #: of what is delivered


def _carried(container: str, *codecs: str) -> None:
    for codec in codecs:
        if codec not in CARRIES[container]:
            raise ValueError(f"{container} does not carry {codec}")


class Condition(_Strict):
    """Of which sources a preset is made; what is not named does not matter. Others skip it, with the reason."""

    hdr: bool | None = None  #: only of pictures in HDR, or only of those in SDR
    min_size: int | None = Field(None, ge=16)  #: only of pictures whose short side is at least this, in square pixels
    min_seconds: float | None = Field(None, gt=0)
    max_seconds: float | None = Field(None, gt=0)


class _Preset(_Strict):
    when: Condition | None = None
    id: str = Field(pattern=ID_PATTERN)
    version: int = Field(ge=1)
    title: str = ""  #: for people; written from the preset's data when none is given
    omkt: Omkt | None = None


class HlsPreset(_Preset):
    """An HLS presentation in fragmented MP4: one playlist per rung, one audio group, a master playlist."""

    kind: Literal["hls"]
    video: VideoSettings
    audio: AudioSettings
    subtitles: bool = True  #: all titles of the source that are text, as WebVTT
    trim: Trim | None = None  #: only a part of the source
    segment_seconds: float = Field(6.0, gt=0, le=20)

    @model_validator(mode="after")
    def _players_take_it(self) -> Self:
        if self.video.codec not in ("h264", "hevc", "av1") or self.audio.codec != "aac":
            raise ValueError("HLS is made in h264, hevc or av1 with aac")
        return self


class FilmPreset(_Preset):
    """One file with picture and sound. An MP4 starts to play before it is fully loaded."""

    kind: Literal["film"]
    container: Container = "mp4"
    video: VideoSettings
    audio: AudioSettings
    sound_alone: bool = False  #: a source without picture gives its sound, instead of a refusal
    subtitles: bool = False  #: all titles of the source that are text, as tracks that a player can show
    tags: bool = False  #: title, artist and the like, and the chapters of the source
    trim: Trim | None = None  #: only a part of the source

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _carried(self.container, self.video.codec, self.audio.codec)
        if self.subtitles and self.container not in CARRIES_TITLES:
            raise ValueError(f"{self.container} does not carry subtitles")
        return self


class AudioPreset(_Preset):
    """One audio file."""

    kind: Literal["audio"]
    container: Container = "m4a"
    audio: AudioSettings
    tags: bool = True  #: title, artist and the like, and the chapters of the source
    trim: Trim | None = None  #: only a part of the source

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _carried(self.container, self.audio.codec)
        return self


class ThumbnailsPreset(_Preset):
    """Stills spread evenly over the film."""

    kind: Literal["thumbnails"]
    count: int = Field(ge=1, le=100)
    size: int = Field(ge=16, le=2160)  #: short side of the box, as for a rung
    quality: int = Field(4, ge=2, le=31)  #: of JPEG; 2 is best
    full_size: bool = False  #: also each still at the source's own size: h00.jpg beside the small l00.jpg
    seconds_apart: float = Field(0.0, ge=0)  #: fewer than `count` in a short film, at least one
    at: tuple[float, ...] = Field((), max_length=100)  #: these moments (seconds) instead of an even spread
    archive: bool = False  #: also all of them in one zip


class PosterPreset(_Preset):
    """One still that stands for the film: of several moments the one that shows most, which black and blur do not."""

    kind: Literal["poster"]
    at: float = Field(0.1, ge=0, lt=1)  #: where to begin to look, as a part of the duration
    moments: int = Field(5, ge=1, le=20)  #: how many to look at, from there to the middle
    size: int = Field(ge=16, le=4320)
    quality: int = Field(3, ge=2, le=31)


class StoryboardPreset(_Preset):
    """Small pictures of the whole film on sheets, and a WebVTT file that says which is when: for players' seek bars."""

    kind: Literal["storyboard"]
    seconds_apart: float = Field(10.0, ge=0.5, le=600)
    most: int = Field(400, ge=1, le=2000)  #: pictures at most; a long film has them further apart
    size: int = Field(90, ge=16, le=720)  #: short side of a picture's box, as for a rung
    columns: int = Field(10, ge=1, le=20)
    rows: int = Field(10, ge=1, le=20)
    quality: int = Field(5, ge=2, le=31)  #: of JPEG; 2 is best


class PreviewPreset(_Preset):
    """A few moments of the film behind each other, silent: what is shown when the pointer rests on a film."""

    kind: Literal["preview"]
    pieces: int = Field(6, ge=1, le=20)
    seconds_each: float = Field(1.0, ge=0.2, le=10)
    size: int = Field(240, ge=64, le=1080)
    crf: int = Field(26, ge=0, le=51)
    max_kbps: int = Field(800, ge=50)
    max_rate: int = Field(30, ge=1, le=60)


Preset = Annotated[
    HlsPreset | FilmPreset | AudioPreset | ThumbnailsPreset | PosterPreset | StoryboardPreset | PreviewPreset,
    Field(discriminator="kind"),
]
