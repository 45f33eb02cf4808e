"""The tracks of an MP4 file that we made, from its movie header: no other process, no decoding.

Boxes and their fields: ISO/IEC 14496-12 (8.2 to 8.7), codecs' sample entries: 14496-14, 14496-15.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from omkt_pipeline.media.boxes import children, read_box, walk

#: Sample entries with which one codec is meant, whatever is inside them.
_CODECS: Mapping[bytes, tuple[str, str]] = {b"avc1": ("video", "h264"), b"mp4a": ("audio", "aac")}
_AUDIO_OBJECT_MPEG4 = 0x40
_ES, _DECODER_CONFIG, _DECODER_SPECIFIC = 0x03, 0x04, 0x05
#: By channelConfiguration (14496-3, table 1.19).
_CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8}


@dataclass(frozen=True, kw_only=True)
class MovieTrack:
    """One track as its header describes it."""

    kind: str
    codec: str
    duration: float  #: seconds, as played: what an edit list leaves out does not count
    samples: int
    width: int = 0
    height: int = 0
    channels: int = 0


def movie_tracks(path: Path) -> tuple[MovieTrack, ...] | None:
    """The tracks of an MP4 file; None when it is something else, or holds what this module does not know."""
    parts = _movie(path)
    return None if any(kind == b"mvex" for kind, _ in parts) else _known(parts)


def announced_tracks(path: Path) -> tuple[MovieTrack, ...] | None:
    """The tracks that the header of a segmented film announces. Their samples and lengths are in the segments: 0 here."""
    return _known(_movie(path))


def _movie(path: Path) -> list[tuple[bytes, bytes]]:
    return children(read_box(path, b"moov") or b"")


def _known(parts: list[tuple[bytes, bytes]]) -> tuple[MovieTrack, ...] | None:
    clock = next((_clock(body)[0] for kind, body in parts if kind == b"mvhd"), 0)
    if not clock:
        return None
    tracks = [_track(body, clock) for kind, body in parts if kind == b"trak"]
    known = tuple(track for track in tracks if track is not None)
    return known if known and len(known) == len(tracks) else None


def _track(data: bytes, movie_clock: int) -> MovieTrack | None:
    boxes: dict[bytes, bytes] = {}
    for name, content in walk(data):
        boxes.setdefault(name, content)
    for edits in (content for name, content in children(data) if name == b"edts"):
        boxes.update(children(edits))
    entry = boxes.get(b"stsd", b"")[8:]
    known = _CODECS.get(entry[4:8])
    if known is None or b"mdhd" not in boxes or b"stsz" not in boxes:
        return None
    kind, codec = known
    body = entry[8:]
    channels = _aac_channels(body) if kind == "audio" else 0
    if kind == "audio" and not channels:
        return None
    clock, length = _clock(boxes[b"mdhd"])
    edited = _edited(boxes.get(b"elst", b""))
    return MovieTrack(
        kind=kind,
        codec=codec,
        duration=edited / movie_clock if edited else length / clock,
        samples=int.from_bytes(boxes[b"stsz"][8:12], "big"),
        width=int.from_bytes(body[24:26], "big") if kind == "video" else 0,
        height=int.from_bytes(body[26:28], "big") if kind == "video" else 0,
        channels=channels,
    )


def _clock(header: bytes) -> tuple[int, int]:
    """Units per second and length of a movie or media header."""
    if header[0] == 1:
        return int.from_bytes(header[20:24], "big"), int.from_bytes(header[24:32], "big")
    return int.from_bytes(header[12:16], "big"), int.from_bytes(header[16:20], "big")


def _edited(edits: bytes) -> int:
    """How long all edits last that show media, in units of the movie's clock."""
    if len(edits) < 8:
        return 0
    shape = ">Qqi" if edits[0] == 1 else ">Iii"
    rows = struct.iter_unpack(shape, edits[8 : 8 + struct.calcsize(shape) * int.from_bytes(edits[4:8], "big")])
    return sum(length for length, begins, _ in rows if begins >= 0)


def _aac_channels(entry: bytes) -> int:
    """Channels of an mp4a entry by its decoder's configuration: the entry's own field may say 2 for any number.

    0 when it holds no MPEG-4 audio (MP3 and others travel under the same name), or a layout that is not a standard one.
    Sources: 14496-1 (7.2.6 descriptors), 14496-3 (1.6.2 AudioSpecificConfig).
    """
    descriptor = next((body for kind, body in children(entry[28:]) if kind == b"esds"), b"")[4:]
    for tag, fields in ((_ES, 3), (_DECODER_CONFIG, 13), (_DECODER_SPECIFIC, 0)):
        found, descriptor = _descriptor(descriptor)
        if found != tag or len(descriptor) < fields + 2 or (tag == _ES and descriptor[2]):
            return 0
        if tag == _DECODER_CONFIG and descriptor[0] != _AUDIO_OBJECT_MPEG4:
            return 0
        descriptor = descriptor[fields:]
    bits = int.from_bytes(descriptor[:2], "big")
    explicit_rate = bits >> 7 & 0xF == 0xF
    return 0 if explicit_rate else _CHANNELS.get(bits >> 3 & 0xF, 0)


def _descriptor(data: bytes) -> tuple[int, bytes]:
    """Tag and body of an MPEG-4 descriptor; its size is written in groups of seven bits (14496-1, 8.3.3)."""
    at = 1
    while at < len(data) and data[at] & 0x80:
        at += 1
    return (data[0] if data else 0), data[at + 1 :]
