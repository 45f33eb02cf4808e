"""A cover goes with its sound, drawn anew."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.conftest import media_folder
from tests.integration.media.looking import said
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]


def covers(path: Path, tools: Tools) -> list[tuple[str, int, int]]:
    """The attached pictures of a file: codec and size."""
    return [
        (one["codec_name"], one["width"], one["height"])
        for one in said(path, tools)["streams"]
        if one["codec_type"] == "video" and one["disposition"]["attached_pic"]
    ]


@pytest.fixture
def album(clip: Clip) -> Path:
    """A sound with a large square PNG, longer than a packet or two."""
    return clip(
        "album.mp3",
        "-f lavfi -i sine=d=3:r=44100 -f lavfi -i testsrc2=s=2000x2000:d=0.04 -map 0 -map 1 -c:a libmp3lame -c:v png"
        " -disposition:v attached_pic -metadata title=Song",
    )


@pytest.mark.parametrize("preset", ["music-mp3", "podcast-mp3", "music-aac"])
def test_a_cover_goes_with_its_sound(tmp_path: Path, each_build: Tools, album: Path, preset: str) -> None:
    delivered = Pipeline(tmp_path / "p", each_build).run(album, [preset])
    entry = delivered.entries[preset]

    assert covers(entry, each_build) == [("mjpeg", 1400, 1400)]
    assert said(entry, each_build)["format"]["tags"]["title"] == "Song"
    assert [path.name for path in delivered.folders[preset].iterdir()] == [entry.name]


def test_where_there_is_no_place_for_it_it_is_left_out(pipeline: Pipeline, album: Path) -> None:
    delivered = pipeline.run(album, ["music-opus"])

    assert covers(delivered.entries["music-opus"], pipeline.tools) == []


def test_a_cover_that_is_none_costs_nothing_but_itself(pipeline: Pipeline, album: Path) -> None:
    content = bytearray(album.read_bytes())
    begin = content.index(b"IHDR")
    content[begin + 4 : begin + 200] = bytes(196)
    broken = album.with_name("broken-cover.mp3")
    broken.write_bytes(content)
    delivered = pipeline.run(broken, ["music-mp3"])

    assert covers(delivered.entries["music-mp3"], pipeline.tools) == []
    assert delivered.results["music-mp3"]["duration"] == pytest.approx(3.0, abs=0.1)


def real_sounds() -> list[tuple[Path, tuple[int, int] | None]]:
    folder = media_folder()
    known = (("mp3-cover-1400px.mp3", (1400, 1400)), ("flac-cover.flac", None))
    return [] if folder is None else [(folder / name, size) for name, size in known]


@pytest.mark.parametrize(("sound", "size"), real_sounds())
def test_real_covers(pipeline: Pipeline, sound: Path, size: tuple[int, int] | None) -> None:
    delivered = pipeline.run(sound, ["music-mp3", "music-aac"])

    for entry in delivered.entries.values():
        (found,) = covers(entry, pipeline.tools)
        assert found[0] == "mjpeg"
        assert size is None or found[1:] == size
