"""What the original promises on the wire: codes, keys, presets. Facts from the specification, in its order."""

from typing import NamedTuple

#: A key of subscribe's answer is a column of the client's table: one more breaks it, one less too.
SETTING_KEYS = {
    "id",
    "type",
    "slug",
    "name",
    "technical",
    "extension",
    "recommend",
    "size_43",
    "size_169",
    "cardinality",
}
METADATA_KEYS = {"mime", "type", "file_size", "box", "time-estimate", "bitrate", "frames", "time", "tracks"}
VIDEO_TRACK_KEYS = {"type", "codec", "pixelfmt", "width", "height"}
AUDIO_TRACK_KEYS = {"type", "codec", "samplerate"}
#: Numbers among a file's and a track's values; everything else that was read from text is a string.
METADATA_NUMBERS = {"file_size", "time"}

OK = 200
BAD_RANGE = 216
ADAPTER_NOT_SUPPORTED = 400
NOT_FOUND = 404
ADAPTER_NOT_ALLOWED = 405
MANDATORY = 501
NO_KEY = 502
DISABLED = 503
RATE_LIMIT = 504
BAD_PARAMETER = BAD_MEDIA = 505
ALREADY = 507
NOT_PUBLIC = 508
CREATE_ACCOUNT = 510
BAD_URL = 13

CALLS_PER_MINUTE = 100

#: The client pulls results in pieces of this size.
PIECE_BYTES = 8_192_000


class Setting(NamedTuple):
    slug: str
    extension: str
    recommend: bool
    size_43: str
    size_169: str
    cardinality: int = 1


_SMALL, _MIDDLE, _LARGE = ("320x240", "426x240"), ("480x360", "640x360"), ("640x480", "854x480")
_HD, _FULL_HD = ("960x720", "1280x720"), ("1440x1080", "1920x1080")
SIZES = dict(zip((240, 360, 480, 720, 1080), (_SMALL, _MIDDLE, _LARGE, _HD, _FULL_HD), strict=True))


def _videos(first: int, kind: str, extension: str, recommended: tuple[int, ...] = ()) -> dict[int, Setting]:
    heights = list(SIZES)[: 3 if kind == "flv" else 5]
    return {
        first + place: Setting(f"video_{height}p_{kind}", extension, height in recommended, *SIZES[height])
        for place, height in enumerate(heights)
    }


def _sounds(first: int, kind: str, extension: str, rates: tuple[str, ...]) -> dict[int, Setting]:
    return {
        first + place: Setting(f"audio_{rate}_{kind}", extension, False, "na", "na") for place, rate in enumerate(rates)
    }


#: The 28 settings by their ids.
SETTINGS = (
    _videos(1, "flv", "flv")
    | _videos(11, "mp4", "mp4", recommended=(240, 720, 1080))
    | _videos(21, "webm", "webm")
    | _videos(31, "mpeg", "mpg")
    | _sounds(51, "mp3", "mp3", ("64k", "128k", "v0"))
    | _sounds(61, "vorbis", "ogg", ("64k", "128k", "v0"))
    | _sounds(71, "aac", "m4a", ("64k", "128k", "192k"))
    | {101: Setting("20_original_and_small_thumbs_jpg", "jpg", True, *_FULL_HD, 40)}
)
