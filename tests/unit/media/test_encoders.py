import pytest

from omkt_pipeline.domain.media import SourceFile
from omkt_pipeline.domain.recipe import EncodeAudio, Input, VideoRendition
from omkt_pipeline.media.encoders import audio_encoder, video_encoder


def rendition(codec: str, *, crf: int | None = None, kbps: int | None = None) -> VideoRendition:
    return VideoRendition(
        name="360p", width=640, height=360, codec=codec, crf=crf, kbps=kbps, max_kbps=900, buffer_kbits=1800,
        speed="fast", profile="main", gop_frames=50,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("codec", "encoder"),
    [("h264", "libx264"), ("hevc", "libx265"), ("vp9", "libvpx-vp9"), ("vp8", "libvpx"), ("av1", "libsvtav1")],
)
def test_constant_quality(codec: str, encoder: str) -> None:
    words = " ".join(video_encoder(rendition(codec, crf=30), 4))

    assert words.startswith(f"-c:v {encoder} ")
    assert "-crf 30" in words


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "vp8", "mpeg2video", "flv1"])
def test_an_average_bitrate_with_its_cap(codec: str) -> None:
    assert "-b:v 600k -maxrate 900k -bufsize 1800k" in " ".join(video_encoder(rendition(codec, kbps=600), 4))


@pytest.mark.parametrize("codec", ["vp9", "vp8"])
def test_libvpx_reads_the_cap_of_a_constant_quality_from_the_bitrate(codec: str) -> None:
    assert "-crf 30 -b:v 900k" in " ".join(video_encoder(rendition(codec, crf=30), 4))


@pytest.mark.parametrize("codec", ["h264", "vp9", "vp8", "av1", "mpeg2video", "flv1"])
def test_key_frames_lie_where_the_plan_wants_them(codec: str) -> None:
    words = video_encoder(rendition(codec, kbps=600), 4)

    assert words[words.index("-g") + 1] == "50"


def test_hevc_is_tagged_so_that_every_player_takes_it_and_its_groups_are_closed() -> None:
    words = video_encoder(rendition("hevc", crf=24), 4)

    assert words[words.index("-tag:v") + 1] == "hvc1"
    assert "keyint=50:min-keyint=50:scenecut=0:open-gop=0" in words[words.index("-x265-params") + 1]


@pytest.mark.parametrize(
    ("codec", "best", "words"),
    [
        ("mp3", True, "-c:a libmp3lame -q:a 0"),
        ("vorbis", True, "-c:a libvorbis -q:a 9"),
        ("opus", False, "-c:a libopus -b:a 128k"),
        ("mp2", False, "-c:a mp2 -b:a 128k"),
    ],
)
def test_sound(codec: str, best: bool, words: str) -> None:
    track = Input(source=SourceFile(path="a", bytes=1), demuxer="mov", index=1, duration=1.0)
    recipe = EncodeAudio(
        input=track, name="audio", codec=codec, channels=2, sample_rate=48000, kbps=128, best=best
    )  # fmt: skip

    assert " ".join(audio_encoder(recipe)) == words
