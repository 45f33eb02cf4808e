"""The units (NAL) of H.264 and HEVC, by their first bytes."""

from collections.abc import Iterable, Iterator

_START = b"\0\0\1"
_H264_IDR, _H264_MESSAGES, _RECOVERY_POINT = 5, 6, 6
_HEVC_LAST_PICTURE, _HEVC_RANDOM_ACCESS = 31, range(16, 24)


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
