"""A picture over the film: where it shall lie, in every rung, in chunks as in the whole, and nowhere else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.cutting import SHORT, TWO_SLOTS
from tests.integration.media.looking import decoded_times, first_pixel
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.job import Variation
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]
BLUE = "-f lavfi -i color=blue:s=640x360:d=9:r=25 -f lavfi -i sine=d=9 -c:v libx264 -preset ultrafast -g 25 -c:a aac"


@pytest.fixture
def film(clip: Clip) -> Path:
    return clip("blue.mp4", BLUE)


@pytest.fixture
def mark(clip: Clip) -> Path:
    return clip("mark.png", "-f lavfi -i color=red:s=64x32:d=0.04 -frames:v 1")


def marked(**more: object) -> Variation:
    watermark = {"image": "brand/mark.png", "size": 0.25, "margin": 0.1} | more
    return Variation(preset="mp4-720p", id="out", settings={"video": {"watermark": watermark}})


def with_image(pipeline: Pipeline, image: Path) -> Pipeline:
    folder = pipeline.share.root / "incoming" / "brand"
    folder.mkdir()
    (folder / "mark.png").write_bytes(image.read_bytes())
    return pipeline


@pytest.mark.parametrize(
    ("corner", "inside"),
    [
        # of a film of 640x360: 160x80, 36 from the edges
        ("top-left", (40, 40)),
        ("top-right", (448, 40)),
        ("bottom-left", (40, 250)),
        ("bottom-right", (596, 318)),
        ("center", (320, 180)),
    ],
)
def test_it_lies_in_its_corner(
    tmp_path: Path, each_build: Tools, film: Path, mark: Path, corner: str, inside: tuple[int, int]
) -> None:
    pipeline = with_image(Pipeline(tmp_path / "p", each_build), mark)
    entry = pipeline.run(film, [marked(corner=corner)]).entries["out"]

    red, _, blue = first_pixel(entry, each_build, *inside)
    assert (red > 200, blue < 60) == (True, True)
    for outside in ((10, 10), (630, 350), (630, 10), (10, 350), (200, 180)):
        red, _, blue = first_pixel(entry, each_build, *outside)
        assert (red < 60, blue > 200) == (True, True)


def test_half_of_it_may_show_through(pipeline: Pipeline, film: Path, mark: Path) -> None:
    with_image(pipeline, mark)
    entry = pipeline.run(film, [marked(corner="center", opacity=0.5)]).entries["out"]

    red, _, blue = first_pixel(entry, pipeline.tools, 320, 180)
    assert 90 < red < 170
    assert 90 < blue < 170


def test_it_lies_over_every_rung_and_every_chunk_alike(
    tmp_path: Path, tools: Tools, film: Path, mark: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omkt_pipeline.planning.chunks._LEAST_COST", 0.0)
    watermark = {"image": "brand/mark.png", "corner": "center", "size": 0.5}
    wanted = Variation(preset="hls-h264", id="out", settings={"segment_seconds": 2, "video": {"watermark": watermark}})
    pipeline = with_image(Pipeline(tmp_path / "p", tools, capacity=TWO_SLOTS, rules=SHORT), mark)
    delivered = pipeline.run(film, [wanted])

    assert "chunked" in delivered.codes
    playlists = sorted(delivered.folders["out"].glob("*p/index.m3u8"))
    assert len(playlists) == 2
    for playlist in playlists:
        assert len(decoded_times(playlist, tools)) == 225
        init = (playlist.parent / "init.mp4").read_bytes()
        for number, segment in enumerate(sorted(playlist.parent.glob("*.m4s"))):
            piece = tmp_path / f"{playlist.parent.name}-{number}.mp4"
            piece.write_bytes(init + segment.read_bytes())
            middle = (320, 180) if playlist.parent.name == "360p" else (212, 120)
            assert first_pixel(piece, tools, *middle)[0] > 200


@pytest.mark.parametrize("content", [b"GIF89a", None])
def test_what_is_no_png_fails_with_a_sentence(pipeline: Pipeline, film: Path, content: bytes | None) -> None:
    if content is not None:
        (pipeline.share.root / "incoming" / "brand").mkdir()
        (pipeline.share.root / "incoming" / "brand" / "mark.png").write_bytes(content)

    with pytest.raises(SourceError, match=r"brand/mark\.png is not a PNG") as caught:
        pipeline.run(film, [marked()])

    assert caught.value.code == "watermark_unusable"


@pytest.mark.parametrize("image", ["../x.png", "/etc/x.png", "a//b.png", "", "a\n.png"])
def test_only_a_plain_path_is_taken(pipeline: Pipeline, film: Path, image: str) -> None:
    with pytest.raises(SourceError) as caught:
        pipeline.run(film, [marked(image=image)])

    assert caught.value.code == "preset_invalid"
