"""Only a part of a source, exact to the frame and the sample; and presets that one job changes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.cutting import frame_hashes, videos
from tests.integration.media.films import clip_of
from tests.integration.media.looking import first_light, first_sound, frame_types, heard, streams
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.job import Variation
from omkt_pipeline.media.captions import read_cues
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]


def part(preset: str, start: float, end: float | None, name: str = "part") -> Variation:
    return Variation(id=name, preset=preset, settings={"trim": {"start": start, "end": end}})


@pytest.mark.parametrize("name", ["b-frames.mp4", "open.mkv", "negative.mkv", "offset.ts", "edit-list.mp4"])
def test_a_part_has_exactly_the_frames_of_the_whole(pipeline: Pipeline, clip: Clip, name: str) -> None:
    media = pipeline.store(clip_of(clip, name))
    facts = pipeline.probe(media)
    (cut,) = videos(pipeline.plan(media, facts, [part("mp4-480p", 4.21, 6.5)]))
    (whole,) = videos(pipeline.plan(media, facts, ["mp4-480p"]))
    source = pipeline.share.root / media.path

    assert cut.chunk is not None
    first, frames = cut.chunk.first, cut.chunk.frames
    assert (first, frames) == (106, 163 - 106)
    assert frame_hashes(cut, source, pipeline) == frame_hashes(whole, source, pipeline)[first : first + frames]


def test_picture_sound_and_titles_of_a_part_begin_together(tmp_path: Path, each_build: Tools, clip: Clip) -> None:
    titles = tmp_path / "titles.srt"
    titles.write_text("1\n00:00:01,000 --> 00:00:04,000\nlong\n\n2\n00:00:05,000 --> 00:00:06,000\nlast\n")
    # White and a tone from the third second on.
    film = clip("flash.mkv", f"-f lavfi -i color=black:s=320x180:r=25:d=3 -f lavfi -i color=white:s=320x180:r=25:d=4"
                f" -f lavfi -i aevalsrc=if(gte(t\\,3)\\,0.5*sin(3000*t)\\,0):d=7:s=48000 -i {titles} -filter_complex"
                " [0][1]concat -map 2 -map 3 -c:v libx264 -c:a flac -c:s srt")  # fmt: skip
    delivered = Pipeline(tmp_path / "farm", each_build).run(
        film, [part("hls-h264", 2.0, 6.0), part("mp4-480p", 2.0, 6.0, "m")]
    )
    video, audio, _ = streams(delivered.entries["m"], each_build)

    assert (int(video["nb_frames"]), float(audio["duration"])) == (100, pytest.approx(4.0, abs=0.03))
    assert first_sound(delivered.entries["m"], each_build) == pytest.approx(1.0, abs=0.03)
    assert first_light(delivered.entries["m"], each_build) == 25
    assert [(cue.begin, cue.end) for cue in read_cues((delivered.folders["part"] / "text-2.vtt").read_text())] == [
        (0, 2000), (3000, 4000),
    ]  # fmt: skip
    assert "trimmed" in delivered.codes
    assert "header" not in str(delivered.results["m"]["renditions"])


def test_a_part_of_a_sound_is_exact_to_the_sample(tmp_path: Path, each_build: Tools, newest: Tools, clip: Clip) -> None:
    sound = clip("five-seconds.wav", "-f lavfi -i sine=d=5:r=48000")
    made = Pipeline(tmp_path, each_build).run(sound, [part("audio-aac", 0.12345, 2.5)]).entries["part"]

    samples = len(heard(made, newest))
    assert abs(samples - round((2.5 - 0.12345) * 48000)) <= 1


def test_a_part_behind_the_end_is_skipped_and_alone_refused(pipeline: Pipeline, film: Path) -> None:
    delivered = pipeline.run(film, [part("mp4-480p", 8, None), "audio-aac"])
    assert [output.skipped for output in delivered.plan.outputs] == ["trim_outside", None]

    with pytest.raises(SourceError) as refusal:
        pipeline.run(film, [part("mp4-480p", 8, None)])
    assert refusal.value.code == "trim_outside"


def test_one_job_makes_variations_of_one_preset(pipeline: Pipeline, film: Path) -> None:
    small = Variation(
        id="small", preset="mp4-480p", settings={"video": {"rungs": [{"size": 120, "crf": 30, "max_kbps": 200}]}}
    )
    moments = Variation(id="moments", preset="thumbnails", settings={"at": [0.5, 6.5, 99.0]})
    delivered = pipeline.run(film, ["mp4-480p", small, moments])

    assert streams(delivered.entries["small"], pipeline.tools)[0]["height"] == 120
    assert [(output.key, output.preset) for output in delivered.plan.outputs][1] == ("small", "mp4-480p")
    assert [image["at"] for image in delivered.results["moments"]["images"]] == [0.5, 6.5, 6.9]
    assert frame_types(delivered.entries["small"], pipeline.tools)[0] == "I"
