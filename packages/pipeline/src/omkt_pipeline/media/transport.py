"""The packets of an MPEG transport stream (ISO/IEC 13818-1, 2.4.3): which PES packets begin where, and when they are shown."""

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import FileIO

from omkt_pipeline.media.extent import NotPlainError, Patience

CLOCK = 90_000  #: units per second
_PACKET = 188  #: bytes
#: Bytes in front of each packet on Blu-ray discs and of camcorders (AVCHD): when it arrived.
_STAMP = 4
_SYNC = 0x47
_PACKETS_AT_ONCE, _PACKETS_NEAR = 16384, 64
#: Second bytes of packets in which something begins, and that are damaged; fourth bytes of those that are encrypted.
_BEGINS, _DAMAGED, _ENCRYPTED = (
    re.compile(some, re.DOTALL) for some in (b"[\x40-\x7f]", b"[\x80-\xff]", b"[\x40-\xff]")
)
_ADAPTED, _FILLED = 0x20, 0x10  #: what follows the head: an adaptation field, data
_RANDOM_ACCESS = 0x40
_PES_START = b"\0\0\1"
_PES_HEAD = 9  #: bytes before the times of a PES packet, the last of which says how many they are
_TIMED = 0x80


@dataclass
class Track:
    """What was seen of a track."""

    times: list[int] = field(default_factory=list)  #: when each of its PES packets is shown
    #: PES packets at which decoding may begin, as their heads say: which they are, and where they lie in the file.
    keys: list[int] = field(default_factory=list)
    key_offsets: list[int] = field(default_factory=list)
    last_offset: int = 0  #: where the last one lies


class Packets:
    """The packets of a file."""

    def __init__(self, stream: FileIO, stop: threading.Event | None = None) -> None:
        """`stop`: set when nobody wants to know any more. Raises IndexError for an empty file."""
        self._stream = stream
        self._patience = Patience(stop)
        first = stream.read(_STAMP + 1)
        self._begin = 0 if first[0] == _SYNC else _STAMP
        self._stride = _PACKET + self._begin

    def note(self, tracks: Mapping[int, Track]) -> None:
        """Note the PES packets of these PIDs. Raises NotPlainError, IndexError: one is damaged, encrypted or without a time."""
        for at, data in self._pieces(self._begin, _PACKETS_AT_ONCE):
            _take(data, at, self._stride, tracks)

    def data_of(self, pid: int, at: int) -> Iterator[bytes]:
        """The data of the PES packet of this PID that begins there, piece by piece. Raises NotPlainError."""
        begun = False
        for _, data in self._pieces(at, _PACKETS_NEAR):
            for head in range(0, len(data) - _PACKET + 1, self._stride):
                if (data[head + 1] & 0x1F) << 8 | data[head + 2] != pid:
                    continue
                if begun and data[head + 1] & 0x40:
                    return
                if not begun or data[head + 3] & _FILLED:
                    begin = _data_at(data, head)
                    yield data[begin if begun else begin + _PES_HEAD + data[begin + _PES_HEAD - 1] : head + _PACKET]
                begun = True

    def _pieces(self, at: int, packets: int) -> Iterator[tuple[int, bytes]]:
        while True:
            self._patience.check()
            self._stream.seek(at)
            data = self._stream.read(packets * self._stride)
            if not data:
                return
            yield at, data
            at += len(data)


def _take(data: bytes, offset: int, stride: int, tracks: Mapping[int, Track]) -> None:
    count = (len(data) + stride - _PACKET) // stride
    if data[: count * stride : stride].count(_SYNC) != count:
        raise NotPlainError
    heads, controls = data[1::stride], data[3::stride]
    if _DAMAGED.search(heads) or _ENCRYPTED.search(controls):
        raise NotPlainError
    for match in _BEGINS.finditer(heads, 0, count):
        number = match.start()
        head = number * stride
        track = tracks.get((heads[number] & 0x1F) << 8 | data[head + 2])
        if track is None:
            continue
        if controls[number] & _ADAPTED and data[head + 4] and data[head + 5] & _RANDOM_ACCESS:
            track.keys.append(len(track.times))
            track.key_offsets.append(offset + head)
        track.times.append(_time(data, _data_at(data, head), head + _PACKET))
        track.last_offset = offset + head


def _data_at(data: bytes, head: int) -> int:
    """Where the data of a packet begins."""
    control = data[head + 3]
    if not control & _FILLED:
        raise NotPlainError
    return head + 4 + (1 + data[head + 4] if control & _ADAPTED else 0)


def _time(data: bytes, at: int, end: int) -> int:
    """When a PES packet is shown: 33 bits in five bytes."""
    if at + _PES_HEAD + 5 > end or data[at : at + 3] != _PES_START or not data[at + 7] & _TIMED:
        raise NotPlainError
    high, one, two, three, four = data[at + _PES_HEAD : at + _PES_HEAD + 5]
    return (high >> 1 & 7) << 30 | one << 22 | two >> 1 << 15 | three << 7 | four >> 1
