"""The frames of sounds, by their first bytes."""

_ADTS_HEAD = 7  #: bytes
_SHORTEST_FRAME = 24  #: bytes


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
