"""Titles that are text reach every deliverable that can show them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.looking import frame_types, streams
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.media.captions import read_cues
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]
TITLES = "1\n00:00:01,000 --> 00:00:02,500\n<b>Dear</b> friends\n\n2\n00:00:06,000 --> 00:00:30,000\nThe end\n"


@pytest.fixture(scope="module")
def talk(clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven seconds with titles in two languages, one of them for the deaf, and one that says only what is foreign."""
    titles = tmp_path_factory.mktemp("titles") / "titles.srt"
    titles.write_text(TITLES)
    return clip(
        "talk.mkv",
        "-f lavfi -i testsrc2=d=7:r=25:s=320x180 -f lavfi -i sine=d=7:r=48000 "
        f"-i {titles} -i {titles} -i {titles} -map 0 -map 1 -map 2 -map 3 -map 4 -c:v libx264 -c:a flac -c:s srt "
        "-metadata:s:s:0 language=eng -metadata:s:s:1 language=fra -metadata:s:s:2 language=eng "
        "-disposition:s:1 forced -disposition:s:2 hearing_impaired",
    )


def test_titles_are_part_of_the_stream_and_end_with_it(tmp_path: Path, each_build: Tools, talk: Path) -> None:
    delivered = Pipeline(tmp_path, each_build).run(talk, ["hls-h264"])
    folder = delivered.folders["hls-h264"]
    master = (folder / "master.m3u8").read_text()

    assert 'LANGUAGE="fra",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES' in master
    assert master.count('SUBTITLES="subtitles"') == master.count("#EXT-X-STREAM-INF")
    assert [one["name"] for one in delivered.results["hls-h264"]["subtitles"]] == [
        "text-eng", "text-fra", "text-eng-2",
    ]  # fmt: skip
    for path in (folder / "text-eng.vtt", folder / "text-eng" / "00000.vtt"):
        first, last = read_cues(path.read_text())
        assert (first.begin, first.end, first.text) == (1000, 2500, "<b>Dear</b> friends")
        assert last.begin == 6000
        assert last.end <= 7050
    assert "text/vtt" in (folder / "manifest.mpd").read_text()
    assert "subtitles_as_text" in delivered.codes


@pytest.mark.parametrize(
    ("preset", "codec"), [("mp4-480p", "mov_text"), ("webm-vp9-720p", "webvtt"), ("archive", "subrip")]
)
def test_titles_are_tracks_of_a_file(pipeline: Pipeline, talk: Path, preset: str, codec: str) -> None:
    delivered = pipeline.run(talk, [preset])
    titles = [
        track for track in streams(delivered.entries[preset], pipeline.tools) if track["codec_type"] == "subtitle"
    ]

    assert [track["codec_name"] for track in titles] == [codec] * 3
    assert [track["tags"]["language"] for track in titles] == ["eng", "fra", "eng"]
    assert [track["disposition"]["forced"] for track in titles] == [0, 1, 0]


def test_a_preset_that_wants_none_says_so(pipeline: Pipeline, talk: Path) -> None:
    delivered = pipeline.run(talk, ["social-1080p"])

    assert "subtitles_left_out" in delivered.codes
    assert {track["codec_type"] for track in streams(delivered.entries["social-1080p"], pipeline.tools)} == {
        "video",
        "audio",
    }


def test_a_key_frame_of_each_segment_can_be_shown_alone(pipeline: Pipeline, film: Path) -> None:
    folder = pipeline.run(film, ["hls-h264"]).folders["hls-h264"]
    lines = (folder / "360p" / "key-frames.m3u8").read_text().splitlines()
    ranges = [line.removeprefix("#EXT-X-BYTERANGE:").split("@") for line in lines if "BYTERANGE" in line]

    assert "#EXT-X-I-FRAMES-ONLY" in lines
    assert len(ranges) == len(list((folder / "360p").glob("*.m4s"))) == 2
    for (size, at), number in zip(ranges, range(2), strict=True):
        alone = pipeline.root / "alone.mp4"
        head = (folder / "360p" / "init.mp4").read_bytes()
        alone.write_bytes(head + (folder / "360p" / f"{number:05d}.m4s").read_bytes()[int(at) : int(at) + int(size)])
        assert frame_types(alone, pipeline.tools) == ["I"]
