"""Posters, storyboards and previews show what the film is at their moments."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.looking import first_pixel, packet_count, streams
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.domain.recipe import EncodeBoard
from omkt_pipeline.media.captions import read_cues
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]
COLOURS = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255)}


def film_of_colours(clip: Clip, name: str, gop: int) -> Path:
    """Ten seconds of each colour, and half a second of white at the end."""
    inputs = " ".join(f"-f lavfi -i color={colour}:s=320x180:r=10:d={length}" for colour, length in
                      [*((colour, 10) for colour in COLOURS), ("white", 0.5)])  # fmt: skip
    return clip(name, f"{inputs} -filter_complex concat=n=4 -c:v libx264 -g {gop} -sc_threshold 0 -pix_fmt yuv420p")


def near(pixel: tuple[int, int, int], wanted: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 60 for one, other in zip(pixel, wanted, strict=True))


@pytest.mark.parametrize(("gop", "keys_only"), [(10, True), (250, False)])
def test_a_storyboard_leads_to_what_is_shown_then(
    tmp_path: Path, each_build: Tools, clip: Clip, gop: int, keys_only: bool
) -> None:
    film = film_of_colours(clip, f"colours-{gop}.mp4", gop)
    delivered = Pipeline(tmp_path, each_build).run(film, ["storyboard"])
    entry = delivered.entries["storyboard"]

    (task,) = [task for task in delivered.plan.tasks if task.key == "board"]
    assert EncodeBoard.model_validate(task.spec).keys_only is keys_only
    cues = read_cues(entry.read_text())
    assert [(cue.begin, cue.end) for cue in cues] == [(0, 10_000), (10_000, 20_000), (20_000, 30_000), (30_000, 30_500)]
    for cue, colour in zip(cues, [*COLOURS.values(), (255, 255, 255)], strict=True):
        sheet, _, where = cue.text.partition("#xywh=")
        x, y, width, height = map(int, where.split(","))
        pixel = first_pixel(entry.parent / sheet, each_build, x + width // 2, y + height // 2)
        assert (width, height) == (160, 90)
        assert near(pixel, colour), (cue, pixel)


def test_a_storyboard_of_what_cannot_skip_frames_decodes_them_all(
    tmp_path: Path, each_build: Tools, clip: Clip
) -> None:
    """ffmpeg's decoder of Theora calls a frame that it was told to skip an error, of which too many are a damaged file."""
    film = clip("keys.ogv", "-f lavfi -i testsrc2=d=12:r=25:s=320x180 -c:v libtheora -q:v 8 -g 25")
    delivered = Pipeline(tmp_path, each_build).run(film, ["storyboard"])

    assert [cue.begin for cue in read_cues(delivered.entries["storyboard"].read_text())] == [0, 10_000]


def test_a_poster_is_neither_black_nor_empty(pipeline: Pipeline, clip: Clip) -> None:
    dark = "-f lavfi -i color=black:s=320x180:r=25:d=4 -f lavfi -i testsrc2=s=320x180:r=25:d=2"
    film = clip(
        "dark.mp4", f"{dark} -f lavfi -i color=black:s=320x180:r=25:d=6 -filter_complex concat=n=3 -c:v libx264"
    )
    delivered = pipeline.run(film, ["poster"])

    (image,) = delivered.results["poster"]["images"]
    assert 4 <= image["at"] + 1 <= 7, image
    assert delivered.entries["poster"].stat().st_size > 5000


def test_a_preview_is_some_moments_without_sound(tmp_path: Path, each_build: Tools, clip: Clip) -> None:
    film = film_of_colours(clip, "colours-10.mp4", 10)
    entry = Pipeline(tmp_path, each_build).run(film, ["preview"]).entries["preview"]
    (picture,) = streams(entry, each_build)

    assert (picture["codec_name"], picture["width"], picture["height"]) == ("h264", 320, 180)
    assert packet_count(entry, each_build) == 6 * 10
    assert near(first_pixel(entry, each_build, 100, 100), COLOURS["red"])


def test_a_short_film_is_its_own_preview(pipeline: Pipeline, clip: Clip) -> None:
    short = clip("one-second.mp4", "-f lavfi -i testsrc2=d=1:r=25:s=320x180 -c:v libx264")

    assert packet_count(pipeline.run(short, ["preview"]).entries["preview"], pipeline.tools) == 25


def test_the_first_picture_of_a_film_without_an_index_is_found(tmp_path: Path, each_build: Tools, clip: Clip) -> None:
    # A search in such a file goes past the only key frame, also one for its beginning.
    both = "-f lavfi -i testsrc2=d=1:r=25:s=320x180 -f lavfi -i sine=d=1"
    film = clip("one-second.flv", f"{both} -c:v libx264 -pix_fmt yuv420p -c:a aac")
    delivered = Pipeline(tmp_path, each_build).run(film, ["thumbnails"])

    assert len(delivered.results["thumbnails"]["images"]) == 10
