"""Matroska files made by hand: what is read of their blocks, and what is left to ffprobe."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from omkt_pipeline.domain.media import AudioTrack, MediaFacts, VideoTrack
from omkt_pipeline.media import extent as extents
from omkt_pipeline.media.extent import Extent
from omkt_pipeline.media.matroska import segment_end
from omkt_pipeline.media.matroska_blocks import extent_of

IDR, OTHER = b"\0\0\0\2\x65\x88", b"\0\0\0\2\x41\x9a"
FACTS = MediaFacts(
    container="matroska,webm",
    duration=None,
    video=(VideoTrack(index=0, codec="h264", width=16, height=16),),
    audio=(AudioTrack(index=1, codec="aac", channels=1),),
)


def element(name: str, *body: bytes) -> bytes:
    data = b"".join(body)
    return bytes.fromhex(name) + (1 << 56 | len(data)).to_bytes(8, "big") + data


def number(name: str, value: int) -> bytes:
    return element(name, value.to_bytes(8, "big"))


def track(mark: int, kind: int, codec: bytes, *more: bytes) -> bytes:
    private = element("63a2", bytes([1, 100, 0, 31, 0xFF]))
    return element("ae", number("d7", mark), number("83", kind), element("86", codec), private, *more)


def block(mark: int, since: int, data: bytes = b"\0\0\0\0", *, flags: int = 0) -> bytes:
    return element("a3", simple(mark, since, data, flags=flags))


def simple(mark: int, since: int, data: bytes, *, flags: int = 0) -> bytes:
    return bytes([0x80 | mark]) + since.to_bytes(2, "big", signed=True) + bytes([flags]) + data


def key(since: int) -> bytes:
    return block(1, since, IDR, flags=0x80)


def cluster(time: int, *blocks: bytes) -> bytes:
    return element("1f43b675", number("e7", time), *blocks)


TRACKS = (track(1, 1, b"V_MPEG4/ISO/AVC"), track(2, 2, b"A_AAC"))
CLUSTERS = (
    cluster(0, key(0), block(2, 0), block(1, 120, OTHER), block(1, 40, OTHER), block(2, 80)),
    cluster(200, key(0), block(1, 40, OTHER), block(2, -10)),
)


def film(
    tmp_path: Path, *clusters: bytes, tracks: Sequence[bytes] | None = TRACKS, info: Sequence[bytes] = (), cut: int = 0
) -> Path:
    path = tmp_path / "film.mkv"
    header = element("1a45dfa3", element("4282", b"matroska"))
    about = b"" if tracks is None else element("1654ae6b", *tracks)
    body = element("1549a966", *info) + about + b"".join(clusters)
    data = header + element("18538067", body)
    path.write_bytes(data[: len(data) - cut])
    return path


def read(path: Path, facts: MediaFacts = FACTS) -> Extent | None:
    return extent_of(path, facts.model_copy(update={"bytes": path.stat().st_size}), {0: 0.04, 1: 0.021})


def test_times_count_from_the_cluster_and_pictures_are_shown_in_another_order(tmp_path: Path) -> None:
    extent = read(film(tmp_path, *CLUSTERS))

    assert extent is not None
    assert extent.packets == {0: 5}
    assert extent.begins == {0: 0.0}
    assert extent.ends == pytest.approx({0: 0.28, 1: 0.211})
    assert (extent.whole, extent.complete) == (True, True)
    assert not extent.open_groups
    assert not extent.faults


def test_key_frames_are_those_that_are_marked(tmp_path: Path) -> None:
    later = [cluster(1000 * at, key(0), block(1, 40, OTHER)) for at in range(4)]

    extent = read(film(tmp_path, *later))

    assert extent is not None
    assert extent.key_times(0) == (0.0, 1.0, 2.0, 3.0)


def test_a_block_in_a_group_is_a_key_frame_where_it_refers_to_no_other(tmp_path: Path) -> None:
    groups = [
        element("a0", element("a1", simple(1, 0, IDR))),
        element("a0", element("a1", simple(1, 700, OTHER)), number("fb", 700)),
        element("a0", element("a1", simple(1, 1400, IDR)), number("9b", 333)),
        element("a0", element("a1", simple(2, 1400, b"\0\0\0\0")), number("9b", 5)),
    ]

    extent = read(film(tmp_path, cluster(0, *groups)))

    assert extent is not None
    assert extent.key_times(0) == (0.0, 1.4)
    assert extent.ends == pytest.approx({0: 1.733, 1: 1.405})


def test_sounds_that_are_together_in_one_block_follow_each_other(tmp_path: Path) -> None:
    laced = block(2, 100, b"\3\0\0\0\0\0\0", flags=0x04)

    extent = read(
        film(
            tmp_path, cluster(0, key(0), laced), tracks=(TRACKS[0], track(2, 2, b"A_AAC", number("23e383", 21_333_333)))
        )
    )

    assert extent is not None
    assert extent.ends[1] == pytest.approx(0.1 + 0.063 + 0.021)
    assert read(film(tmp_path, cluster(0, key(0), laced))) is None, "nobody says how long each lasts"


def test_what_comes_before_the_first_sound_is_not_counted(tmp_path: Path) -> None:
    late = track(2, 2, b"A_OPUS", number("56aa", 6_500_000))
    facts = FACTS.model_copy(update={"audio": (AudioTrack(index=1, codec="opus", channels=1),)})

    extent = read(film(tmp_path, *CLUSTERS, tracks=(TRACKS[0], late)), facts)

    assert extent is not None
    assert extent.ends[1] == pytest.approx(0.19 - 0.007 + 0.021)


def test_the_clock_may_be_finer(tmp_path: Path) -> None:
    extent = read(film(tmp_path, *CLUSTERS, info=[number("2ad7b1", 100_000)]))

    assert extent is not None
    assert extent.ends[0] == pytest.approx(0.024 + 0.04)


ODD = {
    "cut off": {"cut": 1},
    "something behind a cluster": {"clusters": [*CLUSTERS, bytes(9)]},
    "something in a cluster": {"clusters": [cluster(0, key(0), bytes(9))]},
    "a block that ends beyond its cluster": {"clusters": [cluster(0, key(0), b"\xa3\x90\x82")]},
    "an end that is not written down": {"clusters": [*CLUSTERS, bytes.fromhex("1f43b67501ffffffffffffff")]},
    "a cluster without a time": {"clusters": [element("1f43b675", key(0))]},
    "a time before the beginning": {"clusters": [cluster(0, key(0), block(1, -1, OTHER))]},
    "no key frame to begin with": {"clusters": [cluster(0, block(1, 0, OTHER), key(40))]},
    "a key frame that is none": {"clusters": [cluster(0, block(1, 0, OTHER, flags=0x80))]},
    "a cut key frame": {"clusters": [cluster(0, block(1, 0, b"\0\0", flags=0x80))]},
    "pictures that lie in one block": {"clusters": [cluster(0, key(0), block(1, 40, OTHER, flags=0x02))]},
    "a clock that steps back": {"clusters": [*CLUSTERS, cluster(100, key(0))]},
    "a still": {"clusters": [*CLUSTERS, cluster(6000, key(0))]},
    "no pictures": {"clusters": [cluster(0, block(2, 0))]},
    "nothing at all": {"clusters": []},
    "no header": {"tracks": None},
    "two headers": {"clusters": [element("1654ae6b", *TRACKS), *CLUSTERS]},
    "a header behind the film": {"clusters": [*CLUSTERS, element("1549a966")]},
    "two pictures": {"tracks": [*TRACKS, track(3, 1, b"V_MPEG4/ISO/AVC")]},
    "another picture": {"tracks": [track(1, 1, b"V_VP9"), TRACKS[1]]},
    "sounds of changing length": {"tracks": [TRACKS[0], track(2, 2, b"A_VORBIS")]},
    "a track of another kind": {"tracks": [*TRACKS, track(3, 16, b"L")]},
    "a packed track": {"tracks": [track(1, 1, b"V_MPEG4/ISO/AVC", element("6d80")), TRACKS[1]]},
    "a number without end": {"tracks": [track(300, 1, b"V_MPEG4/ISO/AVC"), TRACKS[1]]},
    "a clock that stands still": {"info": [number("2ad7b1", 0)]},
}


@pytest.mark.parametrize("odd", ODD)
def test_what_is_not_plain_is_left_to_ffprobe(tmp_path: Path, odd: str) -> None:
    made = {"clusters": CLUSTERS, "tracks": TRACKS, "info": (), "cut": 0} | ODD[odd]

    assert read(film(tmp_path, *made.pop("clusters"), **made)) is None


def test_rare_key_frames_may_be_missing_marks(tmp_path: Path) -> None:
    long = [cluster(at * 4000, block(1, 0, OTHER)) for at in range(1, 9)]

    assert read(film(tmp_path, cluster(0, key(0)), *long)) is None


def test_every_cut_of_a_film_is_left_to_ffprobe(tmp_path: Path) -> None:
    whole = film(tmp_path, *CLUSTERS).stat().st_size

    assert [read(film(tmp_path, *CLUSTERS, cut=cut)) for cut in range(1, whole)] == [None] * (whole - 1)


def test_nobody_waits_for_a_film_that_is_not_wanted_any_more(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()

    assert extent_of(film(tmp_path, *CLUSTERS), FACTS, {0: 0.04, 1: 0.021}, stop=stop) is None


def test_a_file_of_nothing_but_small_elements_is_left_to_ffprobe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extents, "MOST_CPU_SECONDS", 0.0)

    assert read(film(tmp_path, *CLUSTERS)) is None


def test_the_end_of_a_segment(tmp_path: Path) -> None:
    path = film(tmp_path, *CLUSTERS)
    with path.open("rb") as stream:
        assert segment_end(stream) == path.stat().st_size
    path.write_bytes(b"no such file")
    with path.open("rb") as stream:
        assert segment_end(stream) is None


def test_a_header_without_end_ends_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    path.write_bytes(bytes.fromhex("1a45dfa3 01fffffffffffffe"))

    with path.open("rb") as stream:
        assert segment_end(stream) is None
