"""Transport streams made by hand: what is read of their packets, and what is left to ffprobe."""

import threading
from pathlib import Path
from typing import Any

import pytest

from omkt_pipeline.domain.media import AudioTrack, MediaFacts, VideoTrack
from omkt_pipeline.media import extent as extents
from omkt_pipeline.media.extent import Extent
from omkt_pipeline.media.transport_extent import extent_of

PICTURE, SOUND, TABLE = 0x100, 0x101, 0
FRAME, CLOCK = 3600, 90_000
IDR, OTHER = b"\0\0\1\x09\x10\0\0\0\1\x67\x64\0\0\1\x65\x88", b"\0\0\1\x09\x30\0\0\1\x41\x9a"
ADTS = bytes.fromhex("fff1504001bffc") + bytes(6)  #: 13 bytes
FACTS = MediaFacts(
    container="mpegts",
    duration=None,
    video=(VideoTrack(index=0, codec="h264", width=16, height=16, average_rate="25/1", field_order="progressive"),),
    audio=(AudioTrack(index=1, codec="aac", channels=1),),
)


def packet(
    pid: int, body: bytes, *, begins: bool = True, anew: bool = False, control: int = 0x10, flags: int = 0
) -> bytes:
    """One of 188 bytes, filled up in its adaptation field."""
    room = 184 - len(body)
    adaptation = b"" if not room else bytes([room - 1]) + (bytes([0x40 * anew]) + b"\xff" * (room - 2))[: room - 1]
    head = bytes([0x47, 0x40 * begins | flags | pid >> 8, pid & 0xFF, control | (0x20 if room else 0)])
    return head + adaptation + body


def pes(time: int, data: bytes) -> bytes:
    stamp = bytes(
        [0x21 | time >> 29 & 0x0E, time >> 22 & 0xFF, time >> 14 & 0xFE | 1, time >> 7 & 0xFF, time << 1 & 0xFE | 1]
    )
    return b"\0\0\1\xe0\0\0\x80\x80\x05" + stamp + data


def picture(number: int, data: bytes = OTHER, **more: Any) -> bytes:
    return packet(PICTURE, pes(CLOCK + number * FRAME, data), **more)


def split(body: bytes) -> list[bytes]:
    """A picture to begin with in as many packets as it takes."""
    pieces = [body[at : at + 180] for at in range(0, len(body), 180)]
    return [packet(PICTURE, piece, begins=piece is pieces[0], anew=piece is pieces[0]) for piece in pieces]


def key(number: int) -> bytes:
    return picture(number, IDR, anew=True)


def sound(milliseconds: int, frames: int = 1) -> bytes:
    return packet(SOUND, pes(90 * milliseconds, ADTS * frames))


PLAIN = (key(0), sound(1000, 2), picture(2), picture(1), packet(TABLE, b"\0"), sound(1042, 3), key(3), picture(4))


def read(tmp_path: Path, *packets: bytes, facts: MediaFacts = FACTS, more: bytes = b"") -> Extent | None:
    path = tmp_path / "film.ts"
    path.write_bytes(b"".join(packets) + more)
    return extent_of(path, facts, {0: 0.04, 1: 0.021}, {0: PICTURE, 1: SOUND})


def test_pictures_are_shown_in_another_order_and_sounds_lie_together(tmp_path: Path) -> None:
    extent = read(tmp_path, *PLAIN)

    assert extent is not None
    assert extent.packets == {0: 5}
    assert extent.begins == {0: 1.0}
    assert extent.ends == pytest.approx({0: 1.2, 1: 1.105})
    assert extent.keys == {0: [1.0]}, "the second is too near"
    assert extent.whole
    assert not extent.open_groups


def test_pictures_behind_a_key_frame_may_be_shown_before_it(tmp_path: Path) -> None:
    extent = read(tmp_path, key(0), picture(1), key(3), picture(2), picture(4))

    assert extent is not None
    assert extent.open_groups == {0}


@pytest.mark.parametrize(
    ("messages", "plain"),
    [
        (b"\x06\x01\xc4\x80", True),
        (b"\x05\xff\x01" + bytes.fromhex("000003") * 128 + b"\x06\x01\xc4\x80", True),
        (b"\x05\x03\x06\x01\xc4\x80", False),
        (b"\x06", False),
    ],
    ids=["a recovery point", "one behind a long message", "a message that looks like one", "a cut one"],
)
def test_decoding_may_begin_at_a_recovery_point(tmp_path: Path, messages: bytes, plain: bool) -> None:
    data = b"\0\0\1\x06" + messages + b"\0\0\1\x41\x9a"

    extent = read(tmp_path, *split(pes(CLOCK, data)), picture(1))

    assert (extent is not None) == plain


def test_packets_may_say_when_they_arrived(tmp_path: Path) -> None:
    stamped = [b"\x0f\0\0\0" + one for one in PLAIN]

    assert read(tmp_path, *stamped) == read(tmp_path, *PLAIN) is not None
    assert read(tmp_path, *stamped[:3], *PLAIN) is None


def test_a_last_packet_may_be_cut(tmp_path: Path) -> None:
    assert read(tmp_path, *PLAIN, more=b"\x47\x41\0\x10") is not None


def test_what_is_in_front_of_a_picture_may_be_long(tmp_path: Path) -> None:
    long = packet(PICTURE, pes(CLOCK, IDR[:-6].ljust(100, b"\1")), anew=True), packet(PICTURE, IDR[-6:], begins=False)

    assert read(tmp_path, *long, picture(1), facts=FACTS.model_copy(update={"audio": ()})) is not None


def test_frames_of_other_sounds_are_equally_long(tmp_path: Path) -> None:
    facts = FACTS.model_copy(update={"audio": (AudioTrack(index=1, codec="ac3", channels=6),)})
    frame = b"\x0b\x77" + bytes(30)

    found = [
        read(tmp_path, key(0), packet(SOUND, pes(CLOCK, data)), facts=facts) for data in (frame * 3, frame * 3 + b"\0")
    ]

    assert found[0] is not None
    assert found[0].ends[1] == pytest.approx(1.063)
    assert found[1] is None


def test_a_sound_without_packets_is_none(tmp_path: Path) -> None:
    extent = read(tmp_path, key(0), picture(1))

    assert extent is not None
    assert extent.shown == {0}


ODD = {
    "nothing": (),
    "something else": (b"\0" * 188,),
    "damage": (key(0), picture(1, flags=0x80)),
    "a lost beginning": (key(0), b"\0" * 188, picture(1)),
    "encryption": (key(0), picture(1, control=0x90)),
    "a packet that begins nothing": (key(0), packet(PICTURE, b"\0\0\2\xe0")),
    "a packet without data": (key(0), packet(PICTURE, b"", control=0)),
    "no time": (key(0), packet(PICTURE, b"\0\0\1\xe0\0\0\x80\0\0" + OTHER)),
    "a time that is cut": (key(0), packet(PICTURE, pes(CLOCK, b"")[:12])),
    "a missing picture": (key(0), picture(1), picture(3)),
    "two pictures in one packet": (key(0), picture(2), key(4)),
    "a clock that ends": (packet(PICTURE, pes((1 << 33) - CLOCK, IDR), anew=True),),
    "no key frame to begin with": (picture(0), key(1)),
    "a key frame that is none": (picture(0, anew=True), picture(1)),
    "an empty key frame": (picture(0, b"", anew=True), picture(1)),
    "no pictures": (sound(1000),),
    "a sound that pauses": (key(0), sound(1000), sound(2500)),
    "a sound that steps back": (key(0), sound(1000), sound(990)),
    "a sound that is cut": (key(0), packet(SOUND, pes(CLOCK, ADTS[:-1]))),
    "rare key frames": (key(0), *(picture(at) for at in range(1, 800))),
    "a group that is shown before the one before it": (key(2), picture(3), key(0), picture(1)),
}


@pytest.mark.parametrize("odd", ODD)
def test_what_is_not_plain_is_left_to_ffprobe(tmp_path: Path, odd: str) -> None:
    assert read(tmp_path, *ODD[odd]) is None


@pytest.mark.parametrize(
    "more",
    [
        {"codec": "mpeg2video"},
        {"field_order": "tt"},
        {"average_rate": None},
        {"average_rate": "50/1"},
    ],
)
def test_pictures_of_other_kinds_are_left_to_ffprobe(tmp_path: Path, more: dict[str, Any]) -> None:
    other = FACTS.model_copy(update={"video": (FACTS.video[0].model_copy(update=more),)})

    assert read(tmp_path, *PLAIN, facts=other) is None


def test_nobody_waits_for_a_film_that_is_not_wanted_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, stop = tmp_path / "film.ts", threading.Event()
    path.write_bytes(b"".join(PLAIN))
    stop.set()

    assert extent_of(path, FACTS, {0: 0.04, 1: 0.021}, {0: PICTURE, 1: SOUND}, stop=stop) is None
    monkeypatch.setattr(extents, "MOST_CPU_SECONDS", 0.0)
    assert read(tmp_path, *PLAIN) is None
