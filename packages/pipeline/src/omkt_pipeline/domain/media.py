"""What is known of a media: facts in our own words, measured by probing."""

from fractions import Fraction
from typing import Literal

from pydantic import Field

from omkt_pipeline.domain.plan import Value


class Colour(Value):
    """The colour tags of a video track, in ffmpeg's words. None: the source does not say."""

    range: str | None = None  #: tv, pc
    matrix: str | None = None
    transfer: str | None = None
    primaries: str | None = None

    @property
    def hdr(self) -> str | None:
        """The HDR curve by its common name, or None for SDR."""
        return {"smpte2084": "pq", "arib-std-b67": "hlg"}.get(self.transfer or "")


class Mastering(Value):
    """HDR10's static metadata (SMPTE ST 2086, CTA-861.3): the screen on which the film was graded, and its brightest spots."""

    #: Red, green, blue and white point, each x and y of CIE 1931, then the highest and lowest light in cd/m².
    display: tuple[float, ...] | None = None
    max_content: int | None = None  #: cd/m² of the brightest pixel
    max_average: int | None = None  #: cd/m² of the brightest frame


class VideoTrack(Value):
    """A moving picture. Attached pictures (covers) are not among the tracks."""

    index: int  #: the stream's number in its file
    codec: str
    width: int  #: as stored
    height: int
    sample_aspect: str = "1/1"  #: width of a pixel by its height
    rotation: int = 0  #: degrees clockwise that a player turns the picture: 0, 90, 180, 270
    average_rate: str | None = None  #: frames per second as a fraction, over the whole track
    base_rate: str | None = None  #: the lowest rate on which all timestamps lie, as ffprobe guesses it
    field_order: str | None = None  #: ffprobe's word
    interlaced: bool = False
    pixel_format: str | None = None
    bit_depth: int = 8
    colour: Colour = Colour()
    mastering: Mastering | None = None
    closed_captions: bool = False  #: its first pictures carry captions (CEA-608 or 708, ATSC A/53 part 4)
    dolby_vision: int | None = None  #: its profile; the layer of 8 and 9 can be shown without it, that of 5 cannot
    frames: int | None = None  #: what the container says
    counted_frames: int | None = None  #: packets of the whole track, counted
    #: Where decoding may begin: seconds on the container's clock, rising; of many close ones, some. Empty: not known.
    key_times: tuple[float, ...] = ()
    #: Pictures are stored behind a key frame that are shown before it, and need what lies before it.
    open_groups: bool = False
    clock_fault: str | None = None  #: what timestamps do that they should not: "are missing", "jump"
    start: float = 0.0  #: seconds, on the container's clock
    duration: float | None = None  #: seconds
    default: bool = False

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height of the picture as people see it, in square pixels."""
        wide = max(1, round(self.width * Fraction(self.sample_aspect)))
        return (self.height, wide) if self.rotation in (90, 270) else (wide, self.height)


class AudioTrack(Value):
    """A sound track."""

    index: int
    codec: str
    channels: int
    layout: str | None = None
    sample_rate: int = 0
    language: str | None = None
    frames: int | None = None  #: what the container says
    start: float = 0.0
    duration: float | None = None
    default: bool = False


class SubtitleTrack(Value):
    """A track of titles: text, or pictures of text."""

    index: int
    codec: str
    kind: Literal["text", "image", "unknown"]  #: unknown: in a codec that we do not read
    language: str | None = None
    forced: bool = False  #: only what everybody needs, such as signs and foreign speech
    for_deaf: bool = False  #: says what is heard besides speech, too
    default: bool = False


class Chapter(Value):
    """A named part of a film or a recording."""

    begin: float  #: seconds
    end: float  #: seconds
    title: str | None = None


class Loudness(Value):
    """What a sound measures (EBU R 128, ITU-R BS.1770)."""

    integrated: float  #: LUFS over the whole
    true_peak: float  #: dBTP
    range: float  #: LU
    threshold: float  #: LUFS of the gate


class Crop(Value):
    """The part of the picture inside its black borders, in pixels."""

    x: int
    y: int
    width: int
    height: int


class Measures(Value):
    """What a whole source measures. Seconds count from its beginning."""

    loudness: Loudness | None = None  #: of its first sound; None: silent, or without sound
    crop: Crop | None = None  #: None: black all the way, or without picture
    black: tuple[tuple[float, float], ...] = ()  #: from and to, of half a second and more
    silence: tuple[tuple[float, float], ...] = ()  #: below -50 dB, of a second and more
    scenes: tuple[float, ...] = ()  #: where another scene begins


class MediaFacts(Value):
    """What probing found. Tracks that cannot be used (unknown codec, no size) are named in `unusable`, not listed."""

    container: str  #: the demuxer's name as ffprobe says it, for example "mov,mp4,m4a,3gp,3g2,mj2"
    duration: float | None  #: seconds; None when neither header nor data tell
    start: float = 0.0  #: seconds; the earliest timestamp
    bytes: int = 0
    video: tuple[VideoTrack, ...] = ()
    audio: tuple[AudioTrack, ...] = ()
    subtitles: int = 0  #: number of subtitle tracks
    subtitle_tracks: tuple[SubtitleTrack, ...] = ()  #: empty for media that were probed before these were looked at
    attached_pictures: int = 0
    cover: int | None = None  #: the attached picture that is shown for the whole: its track
    tags: dict[str, str] = Field(default_factory=dict)  #: title, artist and the like, one line each
    chapters: tuple[Chapter, ...] = ()  #: on the container's clock
    unusable: tuple[str, ...] = ()  #: codecs of tracks we cannot or will not decode
    measured: Measures | None = None  #: where it was asked for

    @property
    def demuxer(self) -> str:
        """The name to force, so that a later run cannot take the file for something else."""
        return self.container.split(",")[0]

    @property
    def first(self) -> VideoTrack | AudioTrack | None:
        """The track with which picture or sound begins; a track whose begin is not known is none."""
        tracks: list[VideoTrack | AudioTrack] = [*self.video, *self.audio]
        return min((one for one in tracks if one.start >= self.start), key=lambda one: one.start, default=None)

    @property
    def counted_from_used(self) -> bool:
        """Whether ffmpeg counts the file's times from the first of the tracks that it uses (its correct_input_start_times),
        not from the file's beginning. So it does where the clock may begin anew (AVFMT_TS_DISCONT)."""
        return self.demuxer in ("mpegts", "mpeg", "ogg")


class StoredMedia(Value):
    """A media whose original is on the share."""

    key: str
    path: str  #: below the share's root
    bytes: int
    sha256: str | None = None
    facts: MediaFacts | None = None


class SourceFile(Value):
    """The original as the tasks of a plan name it."""

    path: str  #: below the share's root
    bytes: int
