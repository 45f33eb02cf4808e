"""Makes hostile files out of a seed: headers with random damage, and bombs in pixels, length, streams and timestamps.

Equal seeds give equal files, so that one that does harm can be made again from the number in the test's name.
"""

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

#: Bytes of a film that say what it is; behind them lies the payload.
_HEADER_BYTES = 4096
_LOUD = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@dataclass(frozen=True)
class Hostile:
    """One file that no honest program wrote."""

    name: str
    content: bytes


def fuzzed(whole: bytes, name: str, seed: int) -> Hostile:
    """A film with damage where its index and headers are: single bits, numbers at their limits, pieces moved or missing."""
    chance = random.Random(f"{name} {seed}")
    data = bytearray(whole)
    # An index lies at the beginning or at the end.
    places = [*range(min(_HEADER_BYTES, len(data) - 8)), *range(max(0, len(data) - _HEADER_BYTES), len(data) - 8)]
    for _ in range(chance.randint(1, 12)):
        at = chance.choice(places)
        match chance.randrange(4):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at : at + 4] = struct.pack(">I", chance.choice(_LOUD))
            case 2:
                data[at : at + 8] = data[chance.choice(places) :][:8].ljust(8, b"\0")
            case _:
                data[at : at + 4] = chance.randbytes(4)
    if chance.random() < 0.25:
        del data[chance.randrange(len(data)) :]
    return Hostile(f"fuzzed-{seed}-{name}", bytes(data))


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", len(body) + 8) + kind + body


def _full(kind: bytes, *content: bytes, version: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24), *content)


def _movie(
    *, width: int = 64, height: int = 64, step: int = 40, samples: int = 2, tracks: int = 1, size: int = 0
) -> bytes:
    """An MP4 whose tables promise what its few bytes cannot hold. `size`: of every sample; 0: taken from a table."""
    ticks = min(0xFFFFFFFF, step * samples)
    movie = _full(b"mvhd", struct.pack(">IIII", 0, 0, 1000, ticks), bytes(80))
    entry = _box(b"mp4v", bytes(6), struct.pack(">H", 1), bytes(16), struct.pack(">HH", width, height), bytes(50))
    tables = _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), entry),
        _full(b"stts", struct.pack(">III", 1, samples, step)),
        _full(b"stsc", struct.pack(">IIII", 1, 1, samples, 1)),
        _full(b"stsz", struct.pack(">II", size, samples)),
        _full(b"stco", struct.pack(">II", 1, 32)),
    )
    media = _box(
        b"mdia",
        _full(b"mdhd", struct.pack(">IIII", 0, 0, 1000, ticks), bytes(4)),
        _full(b"hdlr", bytes(4), b"vide", bytes(13)),
        _box(b"minf", tables),
    )
    numbered = (
        _box(b"trak", _full(b"tkhd", struct.pack(">IIII", 0, 0, number + 1, 0), bytes(64)), media)
        for number in range(tracks)
    )
    return _box(b"ftyp", b"isom", bytes(4)) + _box(b"mdat", bytes(2048)) + _box(b"moov", movie, *numbered)


def _wave(*, channels: int, rate: int) -> bytes:
    form = struct.pack("<HHIIHH", 1, channels, rate, min(0xFFFFFFFF, rate * channels * 2), channels * 2 & 0xFFFF, 16)
    return b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack("<I", len(form)) + form + b"data\xff\xff\xff\xff" + bytes(4096)


def _nested(depth: int) -> bytes:
    """Boxes in boxes, each as large as its parent allows."""
    return b"".join(struct.pack(">I", 8 * (depth - level)) + b"moov" for level in range(depth))


_BOMBS: dict[str, Callable[[], bytes]] = {
    "pixels.mp4": lambda: _movie(width=0xFFFF, height=0xFFFF),
    "pixels-of-a-gif.gif": lambda: (
        b"GIF89a" + struct.pack("<HHBBB", 0xFFFF, 0xFFFF, 0, 0, 0) + b"," + bytes(9) + b"\x08\x01\x00;"
    ),
    "duration.mp4": lambda: _movie(step=0x7FFFFFFF, samples=0x7FFFFFFF),
    "samples.mp4": lambda: _movie(step=1, samples=0x7FFFFFFF, size=1),
    "samples-of-nothing.mp4": lambda: _movie(step=0, samples=0x0FFFFFFF, size=0),
    "timestamps.mp4": lambda: _movie(step=0xFFFFFFFF, samples=64, size=16),
    "streams.mp4": lambda: _movie(tracks=5000),
    "channels.wav": lambda: _wave(channels=0xFFFF, rate=48000),
    "rate.wav": lambda: _wave(channels=2, rate=0xFFFFFFFF),
    "nested.mp4": lambda: _nested(50_000),
}


def bombs() -> Iterator[Hostile]:
    """Small files that promise what no machine can hold."""
    return (Hostile(name, make()) for name, make in _BOMBS.items())
