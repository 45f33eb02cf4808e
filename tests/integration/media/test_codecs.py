"""The modern codecs, by the presets that ask for them."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.looking import key_frame_times, streams
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.domain.errors import SourceError, Unavailable
from omkt_pipeline.domain.job import Variation
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]


@pytest.fixture(scope="module")
def short(clip: Clip) -> Path:
    return clip(
        "short.mp4",
        "-f lavfi -i testsrc2=d=5:r=25:s=320x180 -f lavfi -i sine=d=5:r=48000 -c:v libx264 -preset ultrafast -c:a aac",
    )


def test_each_film_preset_holds_its_codecs(pipeline: Pipeline, short: Path, tools: Tools) -> None:
    expected = {
        "mp4-hevc-1080p": ["hevc", "aac"], "mp4-av1-1080p": ["av1", "aac"], "webm-vp9-720p": ["vp9", "opus"],
        "archive": ["h264", "opus"],
    }  # fmt: skip

    delivered = pipeline.run(short, list(expected))

    for name, codecs in expected.items():
        found = streams(delivered.entries[name], tools)
        assert [one["codec_name"] for one in found] == codecs
        assert (found[0]["color_space"], found[0]["color_range"]) == ("bt709", "tv"), "colour tags are always written"


@pytest.mark.parametrize(
    ("preset", "codec"), [("hls-hevc", r"hvc1\.1\.6\.L\d+(\.[0-9A-F]+)*"), ("hls-av1", r"av01\.0\.\d\dM\.08")]
)
def test_hls_names_the_codec_and_cuts_at_key_frames(
    pipeline: Pipeline, short: Path, tools: Tools, preset: str, codec: str
) -> None:
    delivered = pipeline.run(short, [preset])

    master = delivered.entries[preset].read_text()
    assert re.search(rf'CODECS="{codec},mp4a\.40\.2"', master), master
    times = key_frame_times(delivered.folders[preset] / re.findall(r"^\d+p.*m3u8$", master, re.M)[0], tools)
    assert times == pytest.approx([0, 2, 4], abs=0.05)


def test_a_preset_whose_encoder_the_farm_lacks_is_refused_with_the_reason(
    tmp_path: Path, short: Path, tools: Tools
) -> None:
    poor = Tools(ffmpeg=tools.ffmpeg, ffprobe=tools.ffprobe, version="9", encoders=frozenset({"libx264", "aac"}))
    pipeline = Pipeline(tmp_path, poor)

    with pytest.raises(SourceError, match="libsvtav1") as refused:
        pipeline.run(short, ["mp4-av1-1080p"])
    assert refused.value.code == "preset_unavailable"


def test_a_host_whose_ffmpeg_lacks_an_encoder_leaves_the_task_to_another(
    tmp_path: Path, short: Path, tools: Tools
) -> None:
    rich, poor = Pipeline(tmp_path / "rich", tools), Pipeline(tmp_path / "poor", tools)
    media = rich.store(short)
    plan = rich.plan(media, rich.probe(media), ["webm-vp9-720p"])
    poor.tools = Tools(ffmpeg=tools.ffmpeg, ffprobe=tools.ffprobe, version="9", encoders=frozenset({"libx264", "aac"}))

    for task in plan.tasks:
        if task.kind == "encode":
            with pytest.raises(Unavailable, match="has no") as failed:
                poor.encode(task)
            assert (failed.value.code, failed.value.retryable) == ("encoder_missing", True)


def test_sound_in_every_codec_is_as_long_as_its_source(pipeline: Pipeline, short: Path, tools: Tools) -> None:
    wanted = ["podcast-mp3", "podcast-opus", "music-mp3", "music-aac", "music-opus"]

    delivered = pipeline.run(short, wanted)

    for name in wanted:
        argv = [str(tools.ffprobe), "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0"]
        answer = subprocess.run([*argv, str(delivered.entries[name])], check=True, capture_output=True, text=True)
        assert float(answer.stdout) == pytest.approx(5.0, abs=0.06), name


def test_a_tiny_picture_is_made_in_every_codec(tmp_path: Path, clip: Clip, each_build: Tools) -> None:
    tiny = clip("tiny.gif", "-f lavfi -i testsrc2=d=1:r=10:s=14x8")
    wanted = ["mp4-480p", "mp4-hevc-1080p", "mp4-av1-1080p", "webm-vp9-720p", "omkt-video-240p-mpeg"]

    delivered = Pipeline(tmp_path, each_build).run(tiny, wanted)

    sizes = [(one["width"], one["height"]) for name in wanted for one in streams(delivered.entries[name], each_build)]
    assert sizes == [(14, 8), (28, 16), (112, 64), (14, 8), (14, 8)]


@pytest.mark.parametrize("seconds", [0.08, 0.12, 0.2])
def test_a_sound_of_some_packets_lasts_no_day_in_webm(
    pipeline: Pipeline, clip: Clip, tools: Tools, seconds: float
) -> None:
    film = clip(
        f"blink-{seconds}.mkv",
        f"-f lavfi -i testsrc2=d={seconds}:r=25:s=320x180 -f lavfi -i sine=d={seconds}:r=44100 -c:v libx264 -c:a pcm_s16le",
    )

    delivered = pipeline.run(film, ["omkt-video-240p-webm"])

    [picture, sound] = streams(delivered.entries["omkt-video-240p-webm"], tools)
    assert (picture["codec_name"], sound["codec_name"]) == ("vp8", "vorbis")


def test_every_language_is_kept_and_named(pipeline: Pipeline, clip: Clip, tools: Tools) -> None:
    film = clip(
        "two-languages.mkv",
        "-f lavfi -i testsrc2=d=2:r=25:s=160x90 -f lavfi -i sine=d=2:r=48000 -f lavfi -i sine=d=2:r=48000:f=200 -map 0 -map 1 "
        "-map 2 -c:v libx264 -preset ultrafast -c:a aac -metadata:s:a:0 language=eng -metadata:s:a:1 language=fra",
    )

    delivered = pipeline.run(film, ["hls-h264", "archive", "mp4-480p"])

    master = delivered.entries["hls-h264"].read_text()
    assert re.findall(r'LANGUAGE="(\w+)",DEFAULT=(\w+)', master) == [("eng", "YES"), ("fra", "NO")]
    assert len(list(delivered.folders["hls-h264"].glob("audio*/index.m3u8"))) == 2
    named = {
        name: [
            one["tags"]["language"] for one in streams(delivered.entries[name], tools) if one["codec_type"] == "audio"
        ]
        for name in ("archive", "mp4-480p")
    }
    assert named == {"archive": ["eng", "fra"], "mp4-480p": ["eng"]}


AVERAGE = {"rungs": [{"size": 240, "kbps": 300, "max_kbps": 600}], "two_pass": True}


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9"])
def test_two_passes_reach_an_average(tmp_path: Path, each_build: Tools, clip: Clip, codec: str) -> None:
    # Four quiet seconds and two busy ones: one pass cannot know what is to come.
    still, busy = "color=gray:s=426x240:r=25:d=4", "testsrc2=s=426x240:r=25:d=2,noise=alls=10:allf=t"
    film = clip("busy.mkv", f"-f lavfi -i {still} -f lavfi -i {busy} -filter_complex concat -c:v ffv1")
    container = {"vp9": ("webm-vp9-720p", {"speed": "veryfast"})}.get(
        codec, ("mp4-480p", {"speed": "veryfast", "codec": codec})
    )
    wanted = Variation(id="average", preset=container[0], settings={"video": {**AVERAGE, **container[1]}})
    delivered = Pipeline(tmp_path, each_build).run(film, [wanted])

    (rendition,) = delivered.results["average"]["renditions"]
    assert rendition["frames"] == 150
    # libvpx lets a busy end of a short film have more.
    assert rendition["bitrate"] == pytest.approx(300_000, rel=0.4 if codec == "vp9" else 0.25)
