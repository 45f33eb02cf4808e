"""Ladders that fit their film, from real samples."""

from collections.abc import Callable
from pathlib import Path

from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.domain.job import Variation
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]
_ENCODED = "-c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p"
#: Every frame is new, and nothing of it is smooth.
RESTLESS = f"-f lavfi -i nullsrc=s=640x360:r=25:d=30,noise=alls=60:allf=t {_ENCODED}"
#: One drawing, for half a minute.
STILL = f"-f lavfi -i testsrc2=s=640x360:r=25:d=30,trim=end_frame=1,loop=749:1 {_ENCODED}"


def made(pipeline: Pipeline, source: Path, *presets: str | Variation) -> list[str]:
    """The names of the renditions that a file's ladder has in the end."""
    delivered = pipeline.run(source, presets)
    (result,) = delivered.results.values()
    return [one["name"] for one in result["renditions"]]


def test_of_a_restless_film_every_rung_is_made(pipeline: Pipeline, clip: Clip) -> None:
    assert made(pipeline, clip("restless.mp4", RESTLESS), "hls-auto") == ["360p", "240p"]
    assert pipeline.samples is not None
    assert [task.key for task in pipeline.samples.tasks] == [
        "sample.hls-auto.0", "sample.hls-auto.1", "sample.hls-auto.2", "plan-sampled",
    ]  # fmt: skip


def test_of_a_film_that_hardly_moves_those_that_spare_something(tmp_path: Path, each_build: Tools, clip: Clip) -> None:
    pipeline = Pipeline(tmp_path, each_build)
    rungs = [{"size": size, "crf": 22, "max_kbps": 3000} for size in (360, 350, 340)]
    fine = Variation(preset="hls-h264", id="fine", settings={"video": {"ladder": "auto", "rungs": rungs}})
    delivered = pipeline.run(clip("still.mp4", STILL), [fine])

    assert [one["name"] for one in delivered.results["fine"]["renditions"]] == ["360p"]
    assert {"ladder_sampled", "rung_not_worth"} <= delivered.codes


def test_only_what_is_wanted_of_a_film_is_sampled(pipeline: Pipeline, clip: Clip) -> None:
    cut = Variation(preset="hls-auto", id="cut", settings={"trim": {"start": 2.0, "end": 9.0}})
    assert made(pipeline, clip("restless.mp4", RESTLESS), cut) == ["360p", "240p"]
    assert pipeline.samples is not None
    (sample, _) = pipeline.samples.tasks
    assert (sample.spec["chunk"]["first"], sample.spec["chunk"]["frames"]) == (50, 175)
