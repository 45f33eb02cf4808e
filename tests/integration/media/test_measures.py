"""What a whole source measures, where it is asked for."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.pipeline import Pipeline, new_task

from omkt_pipeline.domain.effects import Measured
from omkt_pipeline.domain.media import Crop, Measures
from omkt_pipeline.domain.task import TaskKind
from omkt_pipeline.media.tools import Tools
from omkt_transcoder.measure import Measure

Clip = Callable[..., Path]
#: A second of black and two of a picture between bars; two seconds of nothing to hear and a tone.
MIXED = (
    "-f lavfi -i color=black:s=320x180:d=1:r=25 -f lavfi -i testsrc2=s=320x120:d=2:r=25 -f lavfi -i anullsrc=r=48000:d=2"
    " -f lavfi -i sine=r=48000:d=1 -filter_complex"
    " [1:v]pad=320:180:0:30[p];[0:v][p]concat=n=2:v=1[v];[2:a]aformat=channel_layouts=mono[s];[s][3:a]concat=n=2:v=0:a=1[a]"
    " -map [v] -map [a] -c:v libx264 -crf 10 -c:a aac"
)


def measured(pipeline: Pipeline, source: Path) -> Measures:
    media = pipeline.store(source)
    media = media.model_copy(update={"facts": pipeline.probe(media)})
    handler = Measure(tools=pipeline.tools, limits=pipeline.limits, media_of=lambda _: media)
    effect = handler(pipeline.context(new_task(TaskKind.MEASURE))).effect
    assert isinstance(effect, Measured)
    return Measures.model_validate(effect.measures)


def test_borders_darkness_silence_scenes_and_loudness_are_found(tmp_path: Path, each_build: Tools, clip: Clip) -> None:
    found = measured(Pipeline(tmp_path, each_build), clip("mixed-measures.mp4", MIXED))

    assert found.crop == Crop(x=0, y=30, width=320, height=120)
    assert found.black == (pytest.approx((0.0, 1.0), abs=0.3),)
    assert found.silence == (pytest.approx((0.0, 2.0), abs=0.1),)
    assert any(abs(time - 1.0) < 0.1 for time in found.scenes)
    assert found.loudness is not None
    assert -40 < found.loudness.integrated < -10


def test_what_has_no_picture_or_no_sound_is_measured_as_far_as_it_goes(pipeline: Pipeline, clip: Clip) -> None:
    sound = measured(pipeline, clip("measured-sound.wav", "-f lavfi -i sine=d=2"))
    picture = measured(pipeline, clip("measured-picture.mp4", "-f lavfi -i testsrc2=d=2:r=25:s=160x90 -c:v libx264"))

    assert (sound.crop, sound.scenes, sound.silence) == (None, (), ())
    assert sound.loudness is not None
    assert picture.loudness is None
    assert picture.crop is not None


def test_what_is_dark_and_silent_to_its_end_is_so_to_its_end(pipeline: Pipeline, clip: Clip) -> None:
    nothing = "-f lavfi -i color=black:s=160x90:d=3:r=25 -f lavfi -i anullsrc=r=48000:d=3 -c:v libx264 -c:a aac"
    found = measured(pipeline, clip("measured-nothing.mp4", nothing))

    assert found.crop is None
    assert found.loudness is None
    assert found.black == (pytest.approx((0.0, 3.0), abs=0.3),)
    assert found.silence == (pytest.approx((0.0, 3.0), abs=0.1),)
