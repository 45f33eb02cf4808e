"""Quality, where it is asked for: against the source's own frames, whole and in chunks, of files and of segments."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.domain.capacity import Capacity, ChunkRules
from omkt_pipeline.domain.job import Variation
from omkt_pipeline.media.tools import Tools

FARM = Capacity(hosts=2, slots=4)
SHORT = ChunkRules(min_seconds=0.5, target_seconds=2.0)


def measured(preset: str, crf: int = 24, **more: Any) -> Variation:
    rungs = [{"size": 240, "crf": crf, "max_kbps": 4000}]
    video = {"quality": ["ssim", "xpsnr"], "rungs": rungs, **more}
    return Variation(id=f"{preset}-measured", preset=preset, settings={"video": video})


def quality(pipeline: Pipeline, film: Path, wanted: Variation) -> dict[str, float]:
    (rendition,) = pipeline.run(film, [wanted]).results[wanted.id]["renditions"]
    found: dict[str, float] = rendition["quality"]
    return found


def test_it_is_told_of_every_build_that_can_measure_it(tmp_path: Path, each_build: Tools, film: Path) -> None:
    found = quality(Pipeline(tmp_path, each_build), film, measured("mp4-720p"))

    assert set(found) == {"ssim", "xpsnr"} & each_build.metrics
    assert 0.9 < found["ssim"] < 1


def test_what_costs_more_bits_is_nearer_to_the_source(tmp_path: Path, newest: Tools, film: Path) -> None:
    pipeline = Pipeline(tmp_path, newest)
    fine, coarse = (quality(pipeline, film, measured("mp4-720p", crf)) for crf in (16, 40))

    assert fine["ssim"] > coarse["ssim"]
    assert fine["xpsnr"] > coarse["xpsnr"] + 3


@pytest.mark.parametrize("preset", ["mp4-720p", "hls-h264"])
def test_chunks_measure_what_the_whole_measures(
    tmp_path: Path, newest: Tools, clip: Callable[..., Path], preset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = clip(
        "measured.mp4", "-f lavfi -i testsrc2=d=9:r=25:s=320x180 -f lavfi -i sine=d=9 -c:v libx264 -g 25 -c:a aac"
    )
    monkeypatch.setattr("omkt_pipeline.planning.chunks._LEAST_COST", 0.0)  # the clip costs nothing
    whole = quality(Pipeline(tmp_path / "whole", newest), film, measured(preset))
    cut = Pipeline(tmp_path / "cut", newest, capacity=FARM, rules=SHORT)
    delivered = cut.run(film, [wanted := measured(preset)])
    (rendition,) = delivered.results[wanted.id]["renditions"]

    assert "chunked" in {decision.code for decision in delivered.plan.decisions}
    assert rendition["quality"]["ssim"] == pytest.approx(whole["ssim"], abs=0.01)
    assert rendition["quality"]["xpsnr"] == pytest.approx(whole["xpsnr"], abs=1.0)


def test_a_build_that_cannot_measure_says_so(tmp_path: Path, tools: Tools, film: Path) -> None:
    poor = Tools(ffmpeg=tools.ffmpeg, ffprobe=tools.ffprobe, version=tools.version, metrics=frozenset())
    delivered = Pipeline(tmp_path, poor).run(film, [wanted := measured("mp4-720p")])

    assert delivered.results[wanted.id]["warnings"] == ["quality_unmeasurable"]
    assert delivered.results[wanted.id]["renditions"][0]["quality"] == {}
