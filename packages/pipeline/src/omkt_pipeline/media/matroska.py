"""The outer elements of a Matroska or WebM file, and what its header says of its tracks (RFC 9559, 5.1)."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from omkt_pipeline.media.ebml import EbmlError, bodies, element, elements

INFO, TRACKS, CLUSTER = 0x1549A966, 0x1654AE6B, 0x1F43B675
#: SeekHead, Cues, Chapters, Tags, Attachments, Void, CRC-32
ASIDE = frozenset({0x114D9B74, 0x1C53BB6B, 0x1043A770, 0x1254C367, 0x1941A469, 0xEC, 0xBF})
_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_SCALE, _SCALE_UNSAID = 0x2AD7B1, 1_000_000
_TRACK, _NUMBER, _TYPE, _CODEC, _PRIVATE, _DELAY, _LASTS = 0xAE, 0xD7, 0x83, 0x86, 0x63A2, 0x56AA, 0x23E383
_KINDS = {1: "video", 2: "audio", 17: "subtitle"}
#: TrackTimestampScale, ContentEncodings (stored otherwise than the codec says), TrackOperation
_NOT_PLAIN = frozenset({0x23314F, 0x6D80, 0xE2})
_CODECS = {
    b"V_MPEG4/ISO/AVC": "h264",
    b"V_MPEGH/ISO/HEVC": "hevc",
    b"V_VP8": "vp8",
    b"V_VP9": "vp9",
    b"V_AV1": "av1",
    b"A_AAC": "aac",
    b"A_AC3": "ac3",
    b"A_EAC3": "eac3",
    b"A_MPEG/L3": "mp3",
    b"A_MPEG/L2": "mp2",
    b"A_DTS": "dts",
    b"A_OPUS": "opus",
}
#: Where the configuration of a codec says how many bytes a unit's size has, less one, in its low two bits
#: (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1).
_SIZE_AT = {"h264": 4, "hevc": 21}
_MARK = 0x80  #: makes a number of one byte a number of variable length
_HEAD_BYTES = 16
_MOST_EBML_BYTES = 1 << 20


class Entry(NamedTuple):
    """A track, as the header describes it."""

    mark: int  #: the first byte of its blocks
    kind: str  #: video, audio, subtitle
    codec: str | None  #: ffmpeg's name of it; None: not one whose blocks are read here
    unit: int  #: bytes that hold the size of a unit (NAL) of the codec, where it has such
    delay: int  #: ns by which its first sound is earlier than its blocks say
    lasts: int  #: ns of each of its frames; 0 where that is not said


def segment_end(stream: BinaryIO) -> int | None:
    """Where a file says that its segment ends; None where it does not say it."""
    try:
        return _segment(stream)[1]
    except EbmlError:
        return None


def outermost(stream: BinaryIO, size: int) -> Iterator[tuple[int, int, int]]:
    """What the one segment of a file holds, which must be there to its end: name, begin, bytes. Raises EbmlError."""
    at, end = _segment(stream)
    if end != size:
        raise EbmlError
    while at < size:
        stream.seek(at)
        name, begin, length = element(stream.read(_HEAD_BYTES), 0)
        if at + begin + length > size:
            raise EbmlError
        yield name, at + begin, length
        at += begin + length


def scale_of(info: bytes) -> int:
    """How many ns one unit of the clock lasts. Raises EbmlError."""
    said = bodies(info).get(_SCALE)
    scale = _SCALE_UNSAID if said is None else int.from_bytes(said, "big")
    if not 0 < scale <= _SCALE_UNSAID:
        raise EbmlError
    return scale


def entries_of(tracks: bytes) -> list[Entry]:
    """The tracks in the order in which ffprobe numbers them. Raises EbmlError and KeyError for what is not plain."""
    named = elements(tracks, 0, len(tracks))
    return [_entry(bodies(tracks[begin:end])) for name, begin, end in named if name == _TRACK]


def _entry(track: dict[int, bytes]) -> Entry:
    number = int.from_bytes(track[_NUMBER], "big")
    kind = _KINDS[int.from_bytes(track[_TYPE], "big")]
    if not 0 < number < _MARK - 1:
        raise EbmlError
    codec = None if _NOT_PLAIN & track.keys() else _CODECS.get(track[_CODEC].rstrip(b"\0"))
    unit = (track[_PRIVATE][_SIZE_AT[codec]] & 3) + 1 if codec in _SIZE_AT else 0
    delay, lasts = (int.from_bytes(track.get(name, b""), "big") for name in (_DELAY, _LASTS))
    return Entry(_MARK | number, kind, codec, unit, delay, lasts)


def _segment(stream: BinaryIO) -> tuple[int, int]:
    name, begin, length = element(stream.read(_HEAD_BYTES), 0)
    if name != _EBML or length > _MOST_EBML_BYTES:
        raise EbmlError
    at = begin + length
    stream.seek(at)
    name, begin, length = element(stream.read(_HEAD_BYTES), 0)
    if name != _SEGMENT:
        raise EbmlError
    return at + begin, at + begin + length
