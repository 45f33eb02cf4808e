"""Recipes: the typed `spec` of encode and package tasks. A worker needs nothing else to do its task.

Two outputs that ask for the same recipe share what it makes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from omkt_pipeline.domain.media import Chapter, Colour, Mastering, SourceFile
from omkt_pipeline.domain.plan import Value
from omkt_pipeline.domain.task import Artifact


class Input(Value):
    """One track of the source, and how to open it."""

    source: SourceFile
    demuxer: str
    index: int
    duration: float  #: seconds of this track that must come out; 0 when nobody knows
    #: Tracks that are read beside it and not used: where the clock jumps, all tracks must see the same jumps to stay together.
    clock_by: tuple[int, ...] = ()
    #: The track with which the file begins, where ffmpeg would else count from the beginning of those that are used.
    zero_by: int | None = None


class Watermark(Value):
    """A picture over the film; domain/preset.py says what its fields mean."""

    image: str
    corner: str
    size: float
    margin: float
    opacity: float


class VideoRendition(Value):
    """One encoded size of the picture. Frozen and comparable: equal recipes are encoded once."""

    name: str  #: of its file, without ending
    width: int
    height: int
    codec: str = "h264"
    crf: int | None = None  #: constant quality, or
    kbps: int | None = None  #: an average bitrate
    max_kbps: int
    buffer_kbits: int
    speed: str
    profile: str
    gop_frames: int
    two_pass: bool = False
    hdr: bool = False  #: keep the source's curve and primaries, with ten bits
    watermark: Watermark | None = None
    quality: tuple[str, ...] = ()  #: what is measured of it: keys of media/tools.py's METRICS
    segment_frames: int | None = None  #: leave it cut into segments of so many frames; None: as one file


class Chunk(Value):
    """A range of frames of the renditions' constant rate that is encoded on its own."""

    number: int  #: its place in the film, from 0
    first: int  #: its first frame, counted from the beginning of the film
    frames: int | None  #: how many; None: to the end of the film
    seek: float | None  #: seconds from the file's beginning at which reading begins; None: at the beginning

    @property
    def frames_before(self) -> int:
        """How many frames of the result lie before it: none for the chunk that is the first, or the only one."""
        return self.first if self.number else 0


class EncodeVideo(Value):
    """Decode once, encode every rendition, of the whole film or of one chunk of it."""

    kind: Literal["video"] = "video"
    input: Input
    rate: str  #: constant frames per second of all renditions, a fraction
    deinterlace: bool = False
    tone_map: str | None = None  #: pq or hlg: bring down to SDR what is not kept in HDR
    colour: Colour = Colour()  #: of the source, with what it does not say filled in
    mastering: Mastering | None = None  #: for renditions that keep HDR
    renditions: tuple[VideoRendition, ...]
    chunk: Chunk | None = None

    @property
    def frames_before(self) -> int:
        """How many frames of the film lie before what this encodes."""
        return self.chunk.frames_before if self.chunk is not None else 0

    @property
    def seconds(self) -> float:
        """How long each rendition will be."""
        if self.chunk is None:
            return self.input.duration
        if self.chunk.frames is not None:
            return float(self.chunk.frames / Fraction(self.rate))
        return max(0.0, self.input.duration - float(self.chunk.first / Fraction(self.rate)))


class EncodeAudio(Value):
    """Encode one sound, whole."""

    kind: Literal["audio"] = "audio"
    input: Input
    begin: float = 0.0  #: seconds of the sound that are left out before it
    end: float | None = None  #: where it ends, in seconds of the source; None: at its end
    beside: tuple[int, ...] = ()  #: more mono tracks of the source that with the first are the channels of one sound
    name: str
    codec: str
    channels: int
    unplaced: bool = False  #: nothing says where its many channels belong: the first ones are taken as they stand
    sample_rate: int
    kbps: int
    best: bool = False  #: the highest usual variable bitrate instead of kbps
    loudness: float | None = None  #: LUFS of the whole; None: as the source is
    segment_seconds: float | None = None  #: leave it cut into segments of such a length; None: as one file
    language: str | None = None


class Still(Value):
    """One picture out of the film."""

    name: str
    at: float  #: seconds from the beginning
    width: int
    height: int
    quality: int
    choose_from: int = 1  #: take the most telling of this many frames
    also_at: tuple[float, ...] = ()  #: look there too, and keep the picture with the most in it


class _Pictures(Value):
    input: Input
    deinterlace: bool = False
    tone_map: str | None = None
    colour: Colour = Colour()


class EncodeStills(_Pictures):
    """Take stills by seeking."""

    kind: Literal["stills"] = "stills"
    stills: tuple[Still, ...]


class EncodeBoard(_Pictures):
    """Take a small picture every `apart` seconds, many on a sheet."""

    kind: Literal["board"] = "board"
    name: str
    apart: float  #: seconds
    count: int  #: pictures
    columns: int
    rows: int
    width: int  #: of one picture
    height: int
    quality: int
    keys_only: bool = False  #: key frames lie near enough to each other: no other is decoded


class EncodePreview(_Pictures):
    """Some moments of the film behind each other, without sound."""

    kind: Literal["preview"] = "preview"
    rate: str  #: frames per second, a fraction
    starts: tuple[float, ...]  #: seconds
    frames: int  #: of each moment
    rendition: VideoRendition


class Text(Value):
    """One track of titles that are text, as WebVTT."""

    name: str
    index: int  #: of the track in its file
    begin: float = 0.0  #: seconds of the source that become 0
    end: float | None = None
    language: str | None = None
    forced: bool = False
    for_deaf: bool = False


class EncodeTexts(Value):
    """Read titles out of the source, all tracks at once."""

    kind: Literal["texts"] = "texts"
    input: Input  #: its index is that of the first track
    texts: tuple[Text, ...]


class Part(Value):
    """One file of an encode task that a package task uses."""

    task: str  #: key of the encode task in the plan
    name: str  #: of the rendition or still


class _Package(Value):
    output: str  #: key of the output
    video: tuple[Part, ...] = ()  #: best first
    audio: tuple[Part, ...] = ()
    texts: tuple[Part, ...] = ()
    #: Encodes that were cut: the keys of their chunks in the film's order, by the key that the parts name.
    chunks: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class PackageHls(_Package):
    """Cut into segments and write the playlists."""

    kind: Literal["hls"] = "hls"
    segment_seconds: float


class Cover(Value):
    """The picture of a source that has one for the whole, as albums do."""

    source: SourceFile
    demuxer: str
    index: int


class PackageFile(_Package):
    """Join into one file."""

    kind: Literal["file"] = "file"
    name: str
    container: str = "mp4"
    tags: dict[str, str] = Field(default_factory=dict)
    chapters: tuple[Chapter, ...] = ()
    cover: Cover | None = None
    finished: bool = False  #: the one encode that it needs has made the file, too


Single = Annotated[
    EncodeVideo | EncodeAudio | EncodeStills | EncodeTexts | EncodeBoard | EncodePreview, Field(discriminator="kind")
]


class EncodeTogether(Value):
    """What one worker encodes one after the other, and the files that it makes of that: nothing crosses the network twice."""

    kind: Literal["together"] = "together"
    recipes: tuple[Single, ...]
    files: tuple[PackageFile, ...] = ()
    kept: tuple[str, ...] = ()  #: names of what other packages need, beside what is in these files


Encode = EncodeVideo | EncodeAudio | EncodeStills | EncodeTexts | EncodeBoard | EncodePreview | EncodeTogether
EncodeSpec = Annotated[Encode, Field(discriminator="kind")]
encode_spec: TypeAdapter[Encode] = TypeAdapter(EncodeSpec)


def singles(recipe: Encode) -> tuple[Single, ...]:
    """What is encoded one after the other by one task."""
    return recipe.recipes if isinstance(recipe, EncodeTogether) else (recipe,)


class PackageImages(Value):
    """Deliver stills as they are, or in one zip besides."""

    kind: Literal["images"] = "images"
    output: str
    images: tuple[Part, ...]
    archive: bool = False


class PackageBoard(Value):
    """Deliver sheets of small pictures with the WebVTT file that leads to them."""

    kind: Literal["board"] = "board"
    output: str
    board: Part


class PackageAgain(Value):
    """Deliver once more what another job of the same source has made."""

    kind: Literal["again"] = "again"
    output: str
    of: int  #: the row of the output that exists


Package = PackageHls | PackageFile | PackageImages | PackageBoard | PackageAgain
PackageSpec = Annotated[Package, Field(discriminator="kind")]
package_spec: TypeAdapter[Package] = TypeAdapter(PackageSpec)


@dataclass(frozen=True, kw_only=True)
class MadeOutput:
    """A published output: where it lies below the share's root, and what is known of it."""

    folder: str
    entry: str
    result: Mapping[str, Any]
    artifacts: tuple[Artifact, ...]


class ConcatPart(Value):
    """One of the films that are laid behind each other."""

    source: SourceFile
    demuxer: str
    seconds: float
    video: int | None  #: its track; None: black for as long
    audio: int | None  #: its track; None: silence
    video_pad: float  #: seconds for which the last picture stands still at most
    audio_pad: float  #: seconds of silence behind the sound at most
    width: int  #: of its picture inside the whole's
    height: int
    interlaced: bool = False
    tone_map: str | None = None
    colour: Colour | None = None


class Concat(Value):
    """Films laid behind each other: the picture of each fitted into one size, the rest of it black."""

    parts: tuple[ConcatPart, ...]
    width: int
    height: int
    rate: str | None  #: frames per second, a fraction; None: no picture at all
    channels: int  #: 0: no sound at all

    @property
    def seconds(self) -> float:
        """How long all parts are together."""
        return sum(part.seconds for part in self.parts)


class Extract(Value):
    """Copy sounds out of the film, into the same container, for encodes elsewhere to read instead of the whole of it."""

    source: SourceFile
    demuxer: str
    indexes: tuple[int, ...]  #: of the film's tracks, in the order of the copy's
    begins: float | None = None  #: seconds, of its earliest track by its own clock; None: an older planner did not say


class Extracted(Value):
    """What was copied: the only file in the task's folder."""

    demuxer: str
    indexes: tuple[int, ...]

    def now(self, recipe: EncodeAudio) -> EncodeAudio:
        """The recipe of a sound as it reads from the copy."""
        places = {index: place for place, index in enumerate(self.indexes)}
        track = recipe.input.model_copy(update={"demuxer": self.demuxer, "index": places[recipe.input.index]})
        return recipe.model_copy(update={"input": track, "beside": tuple(places[index] for index in recipe.beside)})


@dataclass(frozen=True, kw_only=True)
class StagedFolder:
    """What a settled encode task left for package: where it lies, what it must be, and what encoding it took."""

    folder: str  #: below the share's root
    artifacts: tuple[Artifact, ...]
    facts: Mapping[str, Any]
