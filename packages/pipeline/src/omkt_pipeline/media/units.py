"""The units (NAL) of H.264 and HEVC, and the frames of sounds, by their first bytes."""

_START = b"\0\0\1"
_ADTS_HEAD = 7  #: bytes
_SHORTEST_FRAME = 24  #: bytes


def begins_anew(codec: str, first: int) -> bool | None:
    """Whether decoding may begin at the picture to which the unit with this first byte belongs; None: it belongs to none.

    IDR in H.264 (ITU-T H.264, table 7-1), a random access point in HEVC (ITU-T H.265, table 7-1).
    """
    kind = first & 0x1F if codec == "h264" else first >> 1 & 0x3F
    if codec == "h264":
        return kind == 5 if 1 <= kind <= 5 else None
    return 16 <= kind <= 23 if kind < 32 else None


def stream_begins_anew(codec: str, data: bytes) -> bool | None:
    """The same of the first picture in a piece of a bare stream (annex B of both); None: none begins in it."""
    at = data.find(_START)
    while 0 <= at < len(data) - len(_START):
        answer = begins_anew(codec, data[at + len(_START)])
        if answer is not None:
            return answer
        at = data.find(_START, at + len(_START))
    return None


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
