import struct
from pathlib import Path

import pytest

from omkt_pipeline.media.outer_sizes import bytes_missing

EBML = bytes.fromhex("1a45dfa3") + b"\x84" + b"head"
SEGMENT = bytes.fromhex("18538067")


def riff(length: int, form: bytes = b"AVI ") -> bytes:
    return b"RIFF" + struct.pack("<I", length) + form


@pytest.mark.parametrize(
    ("demuxer", "data", "missing"),
    [
        ("matroska", EBML + SEGMENT + b"\x8a" + b"0123456789", 0),
        ("matroska", EBML + SEGMENT + b"\x01\0\0\0\0\0\0\x0a" + b"0123", 6),
        ("matroska", EBML + SEGMENT + b"\x8a" + b"0123456789 and more", 0),
        ("matroska", EBML + SEGMENT + b"\x01\0\0\0\0\0\x0b\xb8" + bytes(2000), 1000),
        ("matroska", EBML + SEGMENT + b"\x01" + b"\xff" * 7 + b"0123", 0),
        ("matroska", EBML + SEGMENT + b"\xff" + b"0123", 0),
        ("matroska", EBML + SEGMENT, 0),
        ("matroska", EBML + SEGMENT + b"\x00" + b"x" * 20, 0),
        ("matroska", EBML + b"else" + b"\x84" + b"0123", 0),
        ("matroska", b"", 0),
        ("avi", riff(14) + b"0123456789", 0),
        ("avi", riff(15) + b"0123456789", 2),
        ("avi", riff(14) + b"0123456789" + riff(8, b"AVIX") + b"01", 2),
        ("avi", riff(6) + b"01" + b"more of it", 0),
        ("avi", riff(30) + b"JUNK\1\0\0\0x\0LIST\x06\0\0\0movi01", 0),
        ("avi", riff(30) + b"JUNK\1\0\0\0x\0LIST\x08\0\0\0movi01", 2),
        ("avi", b"RIFF", 0),
        ("mov", EBML + SEGMENT + b"\x8a" + b"0123", 0),
    ],
)
def test_what_a_file_announces_beyond_its_end(tmp_path: Path, demuxer: str, data: bytes, missing: int) -> None:
    (tmp_path / "film").write_bytes(data)

    assert bytes_missing(tmp_path / "film", demuxer) == missing
