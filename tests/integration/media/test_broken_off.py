"""Films that end early by their bytes are refused, wherever their clock begins."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import MediaFacts
from omkt_pipeline.media.probing import probe
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]

_FILM = "-f lavfi -i testsrc2=d=12:r=25:s=320x180 -f lavfi -i sine=d=12 -c:a libmp3lame"
_H264 = f"{_FILM} -c:v libx264 -preset ultrafast -g 50"
_MPEG4 = f"{_FILM} -c:v mpeg4"
_DURATION = bytes.fromhex("448988")  #: Matroska's element, of eight bytes


def facts_of(tools: Tools, film: Path, data: bytes) -> MediaFacts:
    film.write_bytes(data)
    return probe(film, tools=tools, limits=Limits())[0]


def with_duration(data: bytes, seconds: float) -> bytes:
    """A Matroska file whose header says another length."""
    at = data.index(_DURATION) + len(_DURATION)
    return data[:at] + struct.pack(">d", seconds * 1000) + data[at + 8 :]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("plain.mkv", _H264),
        ("late.mkv", f"{_H264} -output_ts_offset 30"),
        ("live.mkv", f"{_H264} -write_crc32 0 -cues_to_front 1 -reserve_index_space 1000"),
        ("plain.avi", _MPEG4),
    ],
)
def test_a_film_cut_off_on_its_way_is_refused(
    tmp_path: Path, each_build: Tools, clip: Clip, name: str, words: str
) -> None:
    whole = clip(f"broken-off-{name}", words).read_bytes()

    assert facts_of(each_build, tmp_path / name, whole).duration == pytest.approx(12, abs=0.2)
    with pytest.raises(SourceError, match="breaks off") as refusal:
        facts_of(each_build, tmp_path / name, whole[: len(whole) * 3 // 4])
    assert refusal.value.code == "source_truncated"


def test_a_film_is_missed_in_part_wherever_its_clock_begins(tmp_path: Path, tools: Tools, clip: Clip) -> None:
    # Its header counts from its first picture, as mkvmerge's does: what is there ends behind that length.
    late = with_duration(clip("broken-off-late.mkv", f"{_H264} -output_ts_offset 30").read_bytes(), 12.0)

    assert facts_of(tools, tmp_path / "late.mkv", late).duration == pytest.approx(12, abs=0.2)
    with pytest.raises(SourceError, match="breaks off"):
        facts_of(tools, tmp_path / "late.mkv", late[: len(late) * 3 // 4])


def test_a_film_without_its_index_is_whole(tmp_path: Path, each_build: Tools, clip: Clip) -> None:
    for name, words, index in (("plain.mkv", _H264, bytes.fromhex("1c53bb6b")), ("plain.avi", _MPEG4, b"idx1")):
        whole = clip(f"broken-off-{name}", words).read_bytes()

        found = facts_of(each_build, tmp_path / name, whole[: whole.rindex(index)])
        assert found.duration == pytest.approx(12, abs=0.2)


def test_a_film_of_which_the_end_was_never_written_is_refused(tmp_path: Path, tools: Tools, clip: Clip) -> None:
    for name, words in (("plain.mkv", _H264), ("plain.avi", _MPEG4)):
        whole = clip(f"broken-off-{name}", words).read_bytes()
        with pytest.raises(SourceError, match="breaks off"):
            facts_of(tools, tmp_path / name, whole[: len(whole) // 2].ljust(len(whole), b"\0"))
