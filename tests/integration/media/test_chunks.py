"""A film encoded in chunks has the frames that it has when it is encoded whole: by hashes, frame for frame."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.cutting import SHORT, TWO_SLOTS, assert_chunks_are_the_whole, planned, videos
from tests.integration.media.films import CLIPS, clip_of, real_films
from tests.integration.media.looking import decoded_times, key_frame_times, packet_count, streams
from tests.integration.media.pipeline import Delivered, Pipeline

from omkt_pipeline.domain.job import Variation
from omkt_pipeline.domain.recipe import EncodeVideo
from omkt_pipeline.media.encode_argv import video_source_argv
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]


@pytest.fixture
def source(request: pytest.FixtureRequest, clip: Clip) -> Path:
    return clip_of(clip, request.param)


@pytest.mark.parametrize("source", [*CLIPS, "edit-list.mp4", "negative.mkv"], indirect=True)
def test_chunks_hold_the_frames_of_the_whole(
    tmp_path: Path, each_build: Tools, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omkt_pipeline.planning.chunks._LEAST_COST", 0.0)  # these clips cost nothing
    pipeline = Pipeline(tmp_path, each_build)
    plan, stored = planned(pipeline, source)

    assert_chunks_are_the_whole(plan, stored, pipeline)


def chunked_and_whole(
    tmp_path: Path, tools: Tools, source: Path, *presets: str | Variation
) -> tuple[Delivered, Delivered]:
    """What a farm of two slots delivers of a file, in chunks as short as may be, and what one of one slot delivers."""
    small = Pipeline(tmp_path / "small", tools)
    large = Pipeline(tmp_path / "large", tools, capacity=TWO_SLOTS, rules=SHORT)
    chunked, whole = large.run(source, presets), small.run(source, presets)
    assert "chunked" in chunked.codes
    assert "whole_one_slot" in whole.codes
    return chunked, whole


@pytest.mark.parametrize("preset", ["mp4-hevc-1080p", "webm-vp9-720p", "mp4-av1-1080p"])
def test_chunks_of_every_codec_fit_together(
    tmp_path: Path, tools: Tools, clip: Clip, monkeypatch: pytest.MonkeyPatch, preset: str
) -> None:
    monkeypatch.setattr("omkt_pipeline.planning.chunks._LEAST_COST", 0.0)
    film = clip("b-frames.mp4", CLIPS["b-frames.mp4"])
    chunked, whole = chunked_and_whole(tmp_path, tools, film, preset)
    ours, theirs = (decoded_times(delivered.entries[preset], tools) for delivered in (chunked, whole))

    assert len(ours) == 225
    assert ours == theirs


def decoded_samples(path: Path, tools: Tools) -> int:
    """Samples of sound that a player decodes of a file."""
    argv = [str(tools.ffmpeg), "-v", "error", "-i", str(path), "-map", "0:a:0", "-f", "s16le", "-ac", "1", "-"]
    return len(subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout) // 2


@pytest.mark.parametrize("source", ["b-frames.mp4", "ntsc.mp4", "odd.mp4", "vfr.mkv", "offset.ts"], indirect=True)
def test_a_film_in_chunks_is_delivered_as_the_whole_is(
    tmp_path: Path, each_build: Tools, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omkt_pipeline.planning.chunks._LEAST_COST", 0.0)
    chunked, whole = chunked_and_whole(tmp_path, each_build, source, "mp4-720p", "hls-h264")

    files = [delivered.entries["mp4-720p"] for delivered in (chunked, whole)]
    (video, audio), (whole_video, whole_audio) = (streams(path, each_build) for path in files)
    for fact in ("nb_frames", "start_time", "duration", "time_base"):
        assert video[fact] == whole_video[fact]
        assert audio[fact] == whole_audio[fact]
    samples, whole_samples = (decoded_samples(path, each_build) for path in files)
    assert samples == whole_samples
    playlists = [next(delivered.folders["hls-h264"].glob("*p/index.m3u8")) for delivered in (chunked, whole)]
    assert playlists[0].read_text() == playlists[1].read_text()
    assert packet_count(playlists[0], each_build) == packet_count(playlists[1], each_build)
    assert key_frame_times(playlists[0], each_build) == key_frame_times(playlists[1], each_build)


@pytest.mark.parametrize("preset", ["hls-h264", "hls-hevc", "hls-av1"])
@pytest.mark.parametrize("source", ["b-frames.mp4", "ntsc.mp4"], indirect=True)
def test_segments_of_chunks_are_those_of_the_whole(
    tmp_path: Path, each_build: Tools, source: Path, preset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omkt_pipeline.planning.chunks._LEAST_COST", 0.0)
    presets = Variation(preset=preset, id="out", settings={"segment_seconds": 2.0})
    chunked, whole = chunked_and_whole(tmp_path, each_build, source, presets)
    ours, theirs = (delivered.folders["out"] for delivered in (chunked, whole))

    assert {path.relative_to(ours) for path in ours.rglob("*")} == {
        path.relative_to(theirs) for path in theirs.rglob("*")
    }
    for playlist in theirs.glob("*/index.m3u8"):
        mine = ours / playlist.relative_to(theirs)
        assert mine.read_text() == playlist.read_text()
        assert clock_of(mine.parent, each_build) == clock_of(playlist.parent, each_build)
    video = next(ours.glob("*p*/index.m3u8"))
    assert decoded_times(video, each_build) == decoded_times(theirs / video.relative_to(ours), each_build)


def test_segments_cross_the_share_once(
    tmp_path: Path, tools: Tools, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omkt_pipeline.planning.chunks._LEAST_COST", 0.0)
    chunked, whole = chunked_and_whole(tmp_path, tools, clip_of(clip, "b-frames.mp4"), "hls-h264")

    for delivered in (chunked, whole):
        segments = list(delivered.folders["hls-h264"].rglob("*.m4s"))
        assert segments
        # The file that the encode wrote has a second name.
        assert {path.stat().st_nlink for path in segments} == {2}


def clock_of(folder: Path, tools: Tools) -> list[str]:
    """Times of all packets of a track as its own headers have them, its segments laid behind each other."""
    joined = folder.parent.parent / f"{folder.name}.mp4"
    joined.write_bytes(b"".join(path.read_bytes() for path in [folder / "init.mp4", *sorted(folder.glob("*.m4s"))]))
    argv = [
        str(tools.ffprobe),
        "-v",
        "error",
        "-show_entries",
        "packet=pts,dts,duration",
        "-of",
        "csv=p=0",
        str(joined),
    ]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout.split()


@pytest.mark.parametrize("source", ["b-frames.mp4"], indirect=True)
def test_sound_and_picture_of_a_chunked_film_end_together(
    tmp_path: Path, tools: Tools, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omkt_pipeline.planning.chunks._LEAST_COST", 0.0)
    chunked, _ = chunked_and_whole(tmp_path, tools, source, "mp4-720p")
    video, audio = streams(chunked.entries["mp4-720p"], tools)

    assert float(video["duration"]) == pytest.approx(float(audio["duration"]), abs=1 / 25)


def test_a_chunk_is_read_by_range(pipeline: Pipeline, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    # Noise is large: what is read of it stands out against the index.
    monkeypatch.setattr("omkt_pipeline.planning.chunks._LEAST_COST", 0.0)
    words = "-f lavfi -i nullsrc=d=24:r=25:s=320x180,geq=random(1)*255:128:128 -c:v libx264 -preset ultrafast -g 25"
    plan, stored = planned(pipeline, clip("noise.mp4", words))
    chunks = videos(plan)
    size = stored.stat().st_size

    assert len(chunks) >= 6
    for chunk in chunks:
        assert bytes_read(chunk, stored, pipeline) < 2.5 * size / len(chunks)


def bytes_read(recipe: EncodeVideo, source: Path, pipeline: Pipeline) -> int:
    """What ffmpeg says that it read of the source to encode a recipe."""
    argv = video_source_argv(recipe, source, tools=pipeline.tools, limits=pipeline.limits, threads=1)
    argv[argv.index("-loglevel") + 1] = "verbose"
    argv += [word for number in range(len(recipe.renditions)) for word in ("-map", f"[v{number}]", "-f", "null", "-")]
    told = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=120).stderr
    return max(int(number) for number in re.findall(r"Statistics: (\d+) bytes read", told))


def test_a_chunk_whose_key_frame_is_not_there_is_read_from_the_beginning(
    pipeline: Pipeline, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omkt_pipeline.planning.chunks._LEAST_COST", 0.0)
    plan, _ = planned(pipeline, clip("closed.mp4", CLIPS["closed.mp4"]))
    task = next(task for task in plan.tasks if task.key == "video.0001")
    chunk = {**task.spec["chunk"], "seek": 6.5}
    staged = pipeline.encode(task.model_copy(update={"spec": {**task.spec, "chunk": chunk}}))

    made = staged.facts["renditions"].values()
    assert {rendition["frames"] for rendition in made} == {task.spec["chunk"]["frames"]}


@pytest.mark.parametrize("film", real_films(), ids=lambda film: film.name)
def test_chunks_of_real_films_hold_the_frames_of_the_whole(
    pipeline: Pipeline, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omkt_pipeline.planning.chunks._LEAST_COST", 0.0)
    plan, stored = planned(pipeline, film)
    reasons = {decision.code for decision in plan.decisions if decision.code.startswith("whole_")}

    if reasons:
        assert len(videos(plan)) == 1
    else:
        assert_chunks_are_the_whole(plan, stored, pipeline)
