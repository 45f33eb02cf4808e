"""Containers: those in which tracks wait on the share for package, and those that are delivered."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Staged:
    """The container of one encoded track: each track in one that keeps its timestamps as they are."""

    muxer: str
    demuxer: str
    ending: str


_MP4 = Staged(muxer="mp4", demuxer="mov", ending="mp4")
_MATROSKA = Staged(muxer="matroska", demuxer="matroska", ending="mkv")
_OGG = Staged(muxer="ogg", demuxer="ogg", ending="ogg")
_STAGED = {
    # MP4 has no place for VP8 and FLV1, nor players for the sound of the others.
    "vp8": _MATROSKA,
    "flv1": _MATROSKA,
    "vorbis": _OGG,
    "opus": _OGG,
    "mp3": Staged(muxer="mp3", demuxer="mp3", ending="mp3"),
    "mp2": Staged(muxer="mp2", demuxer="mp3", ending="mp2"),
    "webvtt": Staged(muxer="webvtt", demuxer="webvtt", ending="vtt"),
}

#: ffmpeg's muxer for each container that a preset may name, and its options.
MUXERS: dict[str, tuple[str, ...]] = {
    # The index first, so that it plays while it loads.
    "mp4": ("-movflags", "+faststart", "-f", "mp4"),
    "m4a": ("-movflags", "+faststart", "-f", "mp4"),
    "webm": ("-f", "webm"),
    "mkv": ("-f", "matroska"),
    "flv": ("-flvflags", "add_keyframe_index", "-f", "flv"),
    "mpg": ("-f", "vob"),
    "ts": ("-f", "mpegts"),
    "mp3": ("-id3v2_version", "3", "-f", "mp3"),
    "ogg": ("-f", "ogg"),
}

#: Containers that say how long the whole is, and not how long each track: a reader takes the one for the other.
ONE_LENGTH = frozenset({"flv", "mpg", "ts"})
#: Containers that give a time to the first frame of a pack only: where frames are small, the last ones have none, and a
#: reader takes the track for shorter than it is.
TIMES_OF_PACKS = frozenset({"mpg"})

#: ffmpeg's encoder of titles for each container that carries them.
TITLES = {"mp4": "mov_text", "mkv": "subrip", "webm": "webvtt"}


def exact_edits(muxer: str, sample_rate: int | None) -> tuple[str, ...]:
    """Options for an MP4 whose edit list must end with the last sample of a sound.

    Edit lists count in the movie's time scale, a thousandth of a second as a rule; a last packet that is shorter than that
    would lie behind the end, and readers would drop it.
    """
    return ("-movie_timescale", str(sample_rate)) if muxer == "mp4" and sample_rate else ()


def staged(codec: str) -> Staged:
    """Where a track of this codec waits for package."""
    return _STAGED.get(codec, _MP4)
