"""Films laid behind each other: every frame and every sample of each, whatever they are."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.conftest import media_folder
from tests.integration.media.pipeline import Pipeline, new_task

from omkt_pipeline.domain.effects import Fetched
from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.media import MediaFacts, StoredMedia
from omkt_pipeline.domain.task import TaskKind
from omkt_pipeline.media.tools import Tools
from omkt_transcoder.concat import Concat

Clip = Callable[..., Path]
_ENCODED = "-c:v libx264 -preset ultrafast -g 25"
WIDE = f"-f lavfi -i color=red:d=2:r=25:s=320x180 -f lavfi -i sine=d=2:r=44100 {_ENCODED} -c:a aac"
UPRIGHT = f"-f lavfi -i color=lime:d=3:r=30:s=180x320 {_ENCODED}"
SOUND = "-f lavfi -i sine=d=1.5:r=48000 -ac 6 -c:a flac"


def laid_together(pipeline: Pipeline, tools: Tools, *files: Path) -> tuple[Path, MediaFacts]:
    """The file that comes out, and what probing finds in it."""
    parts: list[StoredMedia] = []
    for file in files:
        media = pipeline.store(file)
        parts.append(media.model_copy(update={"facts": pipeline.probe(media)}))
    handler = Concat(tools=tools, limits=pipeline.limits, parts_of=lambda _: parts)
    effect = handler(pipeline.context(new_task(TaskKind.CONCAT, {"media": "whole"}))).effect
    assert isinstance(effect, Fetched)
    made = StoredMedia(key="whole", path=effect.path, bytes=effect.bytes)
    return pipeline.share.root / effect.path, pipeline.probe(made)


def colour_at(path: Path, seconds: float, tools: Tools, *, x: int = 160, y: int = 90) -> str:
    """Which of red, green and blue a point of the picture shows, or black."""
    argv = [
        str(tools.ffmpeg), "-v", "error", "-ss", f"{seconds}", "-i", str(path), "-frames:v", "1",
        "-vf", f"crop=2:2:{x}:{y}", "-pix_fmt", "rgb24", "-f", "rawvideo", "-",
    ]  # fmt: skip
    pixel = subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout[:3]
    strongest = max(pixel)
    return "black" if strongest < 60 else ("red", "green", "blue")[pixel.index(strongest)]


def loud_at(path: Path, seconds: float, tools: Tools) -> bool:
    """Whether there is sound in the tenth of a second behind a moment."""
    argv = [
        str(tools.ffmpeg), "-v", "error", "-ss", f"{seconds}", "-t", "0.1", "-i", str(path), "-vn",
        "-f", "s16le", "-ac", "1", "-",
    ]  # fmt: skip
    return any(byte not in (0, 255) for byte in subprocess.run(argv, check=True, capture_output=True).stdout)


def test_films_of_other_shapes_rates_and_sounds_follow_each_other(
    tmp_path: Path, each_build: Tools, clip: Clip
) -> None:
    pipeline = Pipeline(tmp_path, each_build)
    wide, upright = clip("c-wide.mp4", WIDE), clip("c-upright.mp4", UPRIGHT)
    made, facts = laid_together(pipeline, each_build, wide, upright, clip("c-sound.mka", SOUND))
    (video,), (audio,) = facts.video, facts.audio

    assert (video.width, video.height) == (320, 180)
    assert video.counted_frames == 50 + 75 + 38
    assert video.average_rate == "25/1"
    assert audio.channels == 6
    assert facts.duration == pytest.approx(6.52, abs=0.03)
    assert [colour_at(made, at, each_build) for at in (0.5, 3.0, 6.0)] == ["red", "green", "black"]
    assert colour_at(made, 3.0, each_build, x=20) == "black"  # beside the upright one
    assert [loud_at(made, at, each_build) for at in (0.5, 3.0, 6.0)] == [True, False, True]


def test_what_comes_out_is_a_source_as_any_other(pipeline: Pipeline, clip: Clip) -> None:
    made, _ = laid_together(pipeline, pipeline.tools, *[clip("c-wide.mp4", WIDE)] * 3)
    delivered = pipeline.run(made, ["mp4-480p"])

    assert delivered.results["mp4-480p"]["renditions"][0]["frames"] == 150


def test_sounds_alone_give_sound_alone(pipeline: Pipeline, clip: Clip) -> None:
    _, facts = laid_together(pipeline, pipeline.tools, *[clip("c-sound.mka", SOUND)] * 2)

    assert facts.video == ()
    assert facts.duration == pytest.approx(3.0, abs=0.01)


def test_what_is_of_no_known_length_is_refused(pipeline: Pipeline, clip: Clip) -> None:
    media = pipeline.store(clip("c-wide.mp4", WIDE))
    handler = Concat(tools=pipeline.tools, limits=pipeline.limits, parts_of=lambda _: [media, media])

    with pytest.raises(SourceError) as caught:
        handler(pipeline.context(new_task(TaskKind.CONCAT, {"media": "whole"})))
    assert caught.value.code == "source_unprobed"


def test_what_is_too_long_together_is_refused(pipeline: Pipeline, tools: Tools, clip: Clip) -> None:
    pipeline.limits = pipeline.limits.model_copy(update={"max_duration_seconds": 3.0})

    with pytest.raises(SourceError) as caught:
        laid_together(pipeline, tools, *[clip("c-wide.mp4", WIDE)] * 2)
    assert caught.value.code == "source_too_long"


LONG = f"-f lavfi -i testsrc2=d=8:r=25:s=320x180 -f lavfi -i sine=d=8:r=44100 {_ENCODED} -c:a aac"


@pytest.mark.parametrize("kind", ["v", "a"])
def test_a_part_of_which_the_end_cannot_be_decoded_is_refused(
    tmp_path: Path, tools: Tools, clip: Clip, kind: str
) -> None:
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(spoilt(clip("c-long.mp4", LONG), kind, tools, begin=4.0))

    with pytest.raises(SourceError) as caught:
        laid_together(Pipeline(tmp_path / "p", tools), tools, damaged, clip("c-wide.mp4", WIDE))
    assert caught.value.code == "source_damaged"


def spoilt(path: Path, kind: str, tools: Tools, *, begin: float) -> bytes:
    """A film whose packets of one kind are all there, and from a second on nonsense."""
    argv = [
        str(tools.ffprobe), "-v", "error", "-select_streams", kind, "-show_entries", "packet=pts_time,size,pos",
        "-of", "csv=p=0", str(path),
    ]  # fmt: skip
    content = bytearray(path.read_bytes())
    for line in subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout.split():
        time, size, place = line.split(",")[:3]
        if float(time) >= begin:
            content[int(place) : int(place) + int(size)] = b"\xff" * int(size)
    return bytes(content)


def real_ones() -> list[list[Path]]:
    folder = media_folder()
    names = ("iphone-portrait-ios9.mov", "hdr10-hevc-1080p.mp4", "interlaced-mpeg2-pal-anamorphic.ts",
             "vfr-screen-3026x1386.mp4", "animated.gif", "negative-start-vp9-opus.webm")  # fmt: skip
    return [] if folder is None else [[folder / name for name in names]]


@pytest.mark.parametrize("files", real_ones(), ids=len)
def test_real_films_follow_each_other(pipeline: Pipeline, tools: Tools, files: list[Path]) -> None:
    lengths = [facts.duration or 0 for file in files if (facts := pipeline.probe(pipeline.store(file)))]
    _, facts = laid_together(pipeline, tools, *files)

    assert facts.duration == pytest.approx(sum(lengths), abs=0.1)
    assert facts.video[0].counted_frames == pytest.approx(sum(lengths) * 30, abs=40)
