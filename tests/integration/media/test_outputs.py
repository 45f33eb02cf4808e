from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.looking import first_pixel, key_frame_times, packet_count, streams
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]


def test_one_job_delivers_every_kind_of_output(tmp_path: Path, each_build: Tools, film: Path) -> None:
    delivered = Pipeline(tmp_path, each_build).run(film, ["hls-h264", "mp4-720p", "audio-aac", "thumbnails", "poster"])

    names = {output: {path.name for path in folder.iterdir()} for output, folder in delivered.folders.items()}
    assert names["hls-h264"] == {"master.m3u8", "manifest.mpd", "360p", "240p", "audio"}
    assert names["mp4-720p"] == {"video.mp4"}
    assert names["audio-aac"] == {"audio.m4a"}
    assert len(names["thumbnails"]) == 10
    assert names["poster"] == {"poster.jpg"}
    assert delivered.results["hls-h264"]["ffmpeg"] == each_build.version
    assert delivered.results["hls-h264"]["cpu_seconds"] > 0


def test_hls_switches_between_rungs_at_the_same_frames(tmp_path: Path, each_build: Tools, film: Path) -> None:
    delivered = Pipeline(tmp_path, each_build).run(film, ["hls-h264"])
    folder = delivered.folders["hls-h264"]

    times = {rung: key_frame_times(folder / rung / "index.m3u8", each_build) for rung in ("360p", "240p")}
    assert times["360p"] == times["240p"] == [0.0, 2.0, 4.0, 6.0]
    assert {packet_count(folder / rung / "index.m3u8", each_build) for rung in times} == {175}
    assert {stream["codec_name"] for stream in streams(delivered.entries["hls-h264"], each_build)} == {"h264", "aac"}


def test_a_delivered_mp4_plays_while_it_loads_and_carries_its_colours(pipeline: Pipeline, film: Path) -> None:
    entry = pipeline.run(film, ["mp4-720p"]).entries["mp4-720p"]
    video, audio = streams(entry, pipeline.tools)

    head = entry.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")
    assert (video["width"], video["height"], video["nb_frames"]) == (640, 360, "175")
    assert {video[key] for key in ("color_space", "color_transfer", "color_primaries")} == {"bt709"}
    assert (video["color_range"], video["sample_aspect_ratio"], video["pix_fmt"]) == ("tv", "1:1", "yuv420p")
    assert float(audio["start_time"]) == pytest.approx(float(video["start_time"]), abs=0.03)


def test_a_picture_is_turned_as_its_player_would(pipeline: Pipeline, tools: Tools, clip: Clip) -> None:
    # Left half red, right half blue; turned clockwise, red comes to the top.
    lying = clip("lying.mp4", "-f lavfi -i color=red:s=320x360:d=1:r=25 -f lavfi -i color=blue:s=320x360:d=1:r=25",
                 "-filter_complex", "hstack", "-c:v", "libx264")  # fmt: skip
    turned = clip("turned.mp4", f"-display_rotation -90 -i {lying} -c copy") if tools.major > 5 else clip(
        "turned.mp4", f"-i {lying} -c copy -metadata:s:v rotate=270")  # fmt: skip
    delivered = pipeline.run(turned, ["mp4-720p"])
    video = streams(delivered.entries["mp4-720p"], tools)[0]

    red, _, blue = first_pixel(delivered.entries["mp4-720p"], tools, 100, 20)
    assert (video["width"], video["height"]) == (360, 640)
    assert "side_data_list" not in video
    assert delivered.facts.video[0].rotation == 90
    assert red > 200
    assert blue < 60


def test_pixels_become_square_and_odd_sizes_even(pipeline: Pipeline, clip: Clip) -> None:
    wide = clip("wide.mkv", "-f lavfi -i color=red:d=1:r=25:s=161x121,format=yuv444p,setsar=2 -c:v libx264")
    video = streams(pipeline.run(wide, ["mp4-720p"]).entries["mp4-720p"], pipeline.tools)[0]

    assert (video["width"], video["height"], video["sample_aspect_ratio"]) == (322, 120, "1:1")


def test_interlaced_sources_come_out_progressive(tmp_path: Path, each_build: Tools, clip: Clip) -> None:
    fields = clip("fields.ts", "-f lavfi -i testsrc2=d=2:r=50:s=720x576 -vf tinterlace=interleave_top,setfield=tff"
                  " -c:v mpeg2video -flags +ildct+ilme -b:v 4M")  # fmt: skip
    delivered = Pipeline(tmp_path, each_build).run(fields, ["mp4-720p"])
    video = streams(delivered.entries["mp4-720p"], each_build)[0]

    assert "deinterlaced" in delivered.codes
    assert (video["field_order"], video["r_frame_rate"]) == ("progressive", "25/1")


def test_hdr_is_brought_down_to_sdr(tmp_path: Path, each_build: Tools, clip: Clip) -> None:
    hdr = clip("hdr.mkv", "-f lavfi -i testsrc2=d=1:r=25:s=320x180 -pix_fmt yuv420p10le -c:v libx265 -x265-params"
               " log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc")  # fmt: skip
    delivered = Pipeline(tmp_path, each_build).run(hdr, ["mp4-720p", "poster"])
    video = streams(delivered.entries["mp4-720p"], each_build)[0]

    assert "tone_mapped" in delivered.codes
    assert (video["color_transfer"], video["pix_fmt"]) == ("bt709", "yuv420p")


@pytest.mark.parametrize(
    ("ending", "codecs"),
    [
        ("mkv", "-c:v libx264 -c:a aac"),
        ("ts", "-c:v libx264 -c:a aac"),
        ("mpg", "-c:v mpeg2video -c:a mp2"),
        ("ogv", "-c:v libtheora -c:a libvorbis"),
    ],
)
@pytest.mark.parametrize(("video_from", "audio_from"), [(0.0, 1.5), (1.5, 0.0), (0.0, 0.3), (0.3, 0.0)])
def test_a_late_track_stays_in_sync(
    tmp_path: Path, each_build: Tools, clip: Clip, ending: str, codecs: str, video_from: float, audio_from: float
) -> None:
    pipeline = Pipeline(tmp_path, each_build)
    late = clip(f"late.{ending}", f"-itsoffset {video_from} -f lavfi -i testsrc2=d=4:r=25:s=320x180"
                f" -itsoffset {audio_from} -f lavfi -i sine=d=4:r=48000 -map 0 -map 1 {codecs}")  # fmt: skip
    video, audio = streams(pipeline.run(late, ["mp4-720p"]).entries["mp4-720p"], pipeline.tools)

    assert float(video["start_time"]) == pytest.approx(float(audio["start_time"]), abs=0.03)
    assert float(video["duration"]) == pytest.approx(4 + video_from, abs=0.1)
    assert float(audio["duration"]) == pytest.approx(4 + audio_from, abs=0.1)


def test_sound_alone_becomes_a_playable_presentation(tmp_path: Path, each_build: Tools, clip: Clip) -> None:
    surround = clip("surround.flac", "-f lavfi -i anoisesrc=d=8:r=44100:a=0.1 -ac 6")
    delivered = Pipeline(tmp_path, each_build).run(surround, ["hls-h264", "audio-aac"])
    track = streams(delivered.entries["hls-h264"], each_build)[0]

    assert (track["codec_name"], track["channels"], track["sample_rate"]) == ("aac", 2, "44100")
    assert {"audio_only", "mixed_down"} <= delivered.codes


BLIPS = [
    "omkt-video-240p-mpeg",
    "omkt-audio-64k-vorbis",
    "omkt-video-240p-flv",
    "audio-aac",
    "podcast-mp3",
    "podcast-opus",
]


@pytest.mark.parametrize("preset", BLIPS)
def test_a_sound_of_a_fiftieth_of_a_second_is_a_sound(
    tmp_path: Path, each_build: Tools, clip: Clip, preset: str
) -> None:
    blip = clip("blip.wav", "-f lavfi -i sine=d=0.02:r=48000")
    (track,) = streams(Pipeline(tmp_path, each_build).run(blip, [preset]).entries[preset], each_build)

    assert track["codec_type"] == "audio"


def test_progress_is_reported_up_to_the_end(pipeline: Pipeline, film: Path) -> None:
    media = pipeline.store(film)
    plan = pipeline.plan(media, pipeline.probe(media), ["hls-h264"])
    task = next(task for task in plan.tasks if task.key == "video")

    assert pipeline.fractions_of(task)[-1] == pytest.approx(1.0, abs=0.1)
