"""The 28 presets of the original, each on a film, on an upright one and on sound alone."""

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.media.tools import Tools
from omkt_pipeline.presets import shipped

FILMS = [name for name, preset in sorted(shipped().items()) if preset.omkt and preset.kind == "film"]
SOUNDS = [name for name, preset in sorted(shipped().items()) if preset.omkt and preset.kind == "audio"]
THUMBNAILS = "omkt-20-original-and-small-thumbs-jpg"
CODECS = {
    "flv": {"flv1", "mp3"}, "mp4": {"h264", "aac"}, "webm": {"vp8", "vorbis"}, "mpg": {"mpeg2video", "mp2"},
    "mp3": {"mp3"}, "ogg": {"vorbis"}, "m4a": {"aac"},
}  # fmt: skip

Clip = Callable[..., Path]


@pytest.fixture(scope="module")
def portrait(clip: Clip) -> Path:
    return clip(
        "upright.mp4",
        "-f lavfi -i testsrc2=d=1:r=15:s=90x202 -f lavfi -i sine=d=1:r=44100 -pix_fmt yuv420p -c:v libx264 "
        "-preset ultrafast -c:a aac -ac 2",
    )


@pytest.fixture(scope="module")
def sound(clip: Clip) -> Path:
    return clip("sound.wav", "-f lavfi -i sine=d=1:r=48000 -ac 1")


def test_every_film_preset_makes_a_film_with_sound(pipeline: Pipeline, portrait: Path, tools: Tools) -> None:
    delivered = pipeline.run(portrait, FILMS)

    for name in FILMS:
        entry = delivered.entries[name]
        preset = shipped()[name].omkt
        assert preset is not None
        assert entry.suffix == f".{preset.extension}"
        streams = streams_of(entry, tools)
        assert {one["codec_name"] for one in streams} == CODECS[preset.extension], name
        (picture,) = (one for one in streams if one["codec_type"] == "video")
        assert (picture["width"], picture["height"]) == (90, 202), "never squeezed, never enlarged"
        assert decodes(entry, tools), name


def test_every_sound_preset_makes_a_sound_file(pipeline: Pipeline, sound: Path, tools: Tools) -> None:
    delivered = pipeline.run(sound, SOUNDS)

    for name in SOUNDS:
        (stream,) = streams_of(delivered.entries[name], tools)
        ending = delivered.entries[name].suffix[1:]
        assert {stream["codec_name"]} == CODECS[ending], name
        assert int(stream["sample_rate"]) == (22050 if "64k" in name else 44100)
        assert float(stream["duration"]) == pytest.approx(1.0, abs=0.1)


def test_a_film_preset_gives_the_sound_of_a_source_without_picture(
    pipeline: Pipeline, sound: Path, tools: Tools
) -> None:
    wanted = [f"omkt-video-240p-{name}" for name in ("flv", "mp4", "webm", "mpeg")]

    delivered = pipeline.run(sound, wanted)

    assert "audio_only" in delivered.codes
    assert [[one["codec_type"] for one in streams_of(delivered.entries[name], tools)] for name in wanted] == [
        ["audio"]
    ] * 4


@pytest.mark.parametrize(("picture", "sound"), [(6, 1.5), (1.5, 6)])
def test_picture_and_sound_of_different_lengths(
    tmp_path: Path, each_build: Tools, clip: Callable[..., Path], picture: float, sound: float
) -> None:
    """FLV and MPEG do not say how long each track is."""
    uneven = clip(
        "uneven.mkv",
        f"-f lavfi -i testsrc2=d={picture}:r=25:s=320x180 -f lavfi -i sine=d={sound} -c:v libx264 -c:a libmp3lame",
    )
    wanted = [f"omkt-video-240p-{name}" for name in ("flv", "mp4", "webm", "mpeg")]

    assert set(Pipeline(tmp_path, each_build).run(uneven, wanted).entries) == set(wanted)


def test_a_small_black_picture_is_whole_in_mpeg(pipeline: Pipeline, clip: Callable[..., Path], tools: Tools) -> None:
    """Its last seconds lie in one pack, which has one time."""
    black = clip("black.mp4", "-f lavfi -i color=black:s=64x48:r=25:d=6 -c:v libx264")

    delivered = pipeline.run(black, ["omkt-video-240p-mpeg"])

    (picture,) = streams_of(delivered.entries["omkt-video-240p-mpeg"], tools, "-count_packets")
    assert picture["nb_read_packets"] == "150"


def test_the_thumbnails_are_a_zip_with_the_names_of_the_original(pipeline: Pipeline, film: Path) -> None:
    delivered = pipeline.run(film, [THUMBNAILS])

    with zipfile.ZipFile(delivered.entries[THUMBNAILS]) as archive:
        assert archive.namelist() == [f"{kind}{number:02d}.jpg" for number in range(7) for kind in "hl"]
        assert archive.testzip() is None
    images = delivered.results[THUMBNAILS]["images"]
    assert [(image["width"], image["height"]) for image in images[:2]] == [(640, 360), (166, 92)]


def test_thumbnails_of_sound_are_refused(pipeline: Pipeline, sound: Path) -> None:
    with pytest.raises(SourceError, match="no moving picture") as refused:
        pipeline.run(sound, [THUMBNAILS])
    assert refused.value.code == "no_video"


def streams_of(path: Path, tools: Tools, *more: str) -> list[dict[str, Any]]:
    argv = [str(tools.ffprobe), "-v", "error", "-of", "json", "-show_streams", *more, str(path)]
    streams: list[dict[str, Any]] = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)["streams"]
    return streams


def decodes(path: Path, tools: Tools) -> bool:
    argv = [str(tools.ffmpeg), "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(argv, capture_output=True, check=False)
    return done.returncode == 0
