"""The units (NAL) of H.264 and HEVC, and the frames of sounds, by their first bytes."""

from collections.abc import Iterable, Iterator

_START = b"\0\0\1"
_H264_IDR, _H264_MESSAGES, _RECOVERY_POINT = 5, 6, 6
_HEVC_LAST_PICTURE, _HEVC_RANDOM_ACCESS = 31, range(16, 24)
_ADTS_HEAD = 7  #: bytes
_SHORTEST_FRAME = 24  #: bytes


def begins_anew(codec: str, data: bytes | bytearray, units: Iterable[tuple[int, int]]) -> bool | None:
    """Whether decoding may begin at the picture to which these units belong; None: none of them is of a picture.

    `units`: where each begins and ends. H.264: IDR, or behind a recovery point (ITU-T H.264, table 7-1 and D.1.8); HEVC: a random
    access point (ITU-T H.265, table 7-1).
    """
    recovers = False
    for begin, end in units:
        kind = data[begin] & 0x1F if codec == "h264" else data[begin] >> 1 & 0x3F
        if codec == "h264" and kind == _H264_MESSAGES:
            recovers = recovers or _names_recovery_point(bytes(data[begin + 1 : end]))
        elif codec == "h264" and 1 <= kind <= _H264_IDR:
            return kind == _H264_IDR or recovers
        elif codec == "hevc" and kind <= _HEVC_LAST_PICTURE:
            return kind in _HEVC_RANDOM_ACCESS
    return None


def units_of(data: bytes) -> Iterator[tuple[int, int]]:
    """The units of a piece of a bare stream (annex B of both), of which the last may go on."""
    at = data.find(_START)
    while 0 <= at < len(data) - len(_START):
        begin, at = at + len(_START), data.find(_START, at + len(_START))
        yield begin, len(data) if at < 0 else at


def _names_recovery_point(messages: bytes) -> bool:
    """Whether a recovery point is among the messages (SEI; ITU-T H.264, 7.3.2.3): each is a kind, a size, so many bytes."""
    data = messages.replace(b"\0\0\3", b"\0\0")
    at = 0
    while at < len(data) - 1:
        said = []
        for _ in ("kind", "size"):
            value = 0
            while data[at] == 0xFF:
                value, at = value + 0xFF, at + 1
            said.append(value + data[at])
            at += 1
        if said[0] == _RECOVERY_POINT:
            return True
        at += said[1]
    return False


def frames_in(codec: str, data: bytes) -> int:
    """How many whole frames of a sound fill these bytes; 0 where they do not.

    AAC in ADTS says how long each is (ISO/IEC 13818-7, 6.2). Of others all must be equally long, and begin alike.
    """
    return _adts_frames(data) if codec == "aac" else _equal_frames(data)


def _adts_frames(data: bytes) -> int:
    at = frames = 0
    while at + _ADTS_HEAD <= len(data) and data[at] == 0xFF and data[at + 1] & 0xF6 == 0xF0:
        length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        if length < _ADTS_HEAD or data[at + 6] & 3:  # the number of blocks in it, less one
            return 0
        at += length
        frames += 1
    return frames if at == len(data) else 0


def _equal_frames(data: bytes) -> int:
    head, length = data[:2], data.find(data[:2], _SHORTEST_FRAME)
    if length < 0:
        return 1 if data else 0
    while length > 0:
        if len(data) % length == 0 and all(data.startswith(head, at) for at in range(0, len(data), length)):
            return len(data) // length
        length = data.find(head, length + 1)
    return 0
