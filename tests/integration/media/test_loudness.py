"""A sound is as loud as its preset says, whatever its source was."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]
PEAKY = "aevalsrc=0.02*sin(2000*t)+0.9*between(mod(t\\,3)\\,0\\,0.004)*sin(9000*t):d=12:s=48000"


def loudness_of(path: Path, tools: Tools) -> tuple[float, float]:
    """LUFS and dBTP, by another filter than the one that made them."""
    argv = [str(tools.ffmpeg), "-hide_banner", "-nostats", "-nostdin", "-i", str(path), "-af", "ebur128=peak=true"]
    said = subprocess.run([*argv, "-f", "null", "-"], check=True, capture_output=True, text=True, timeout=60).stderr
    integrated, peak = (re.findall(rf"{name}:\s+(-?[\d.]+)", said)[-1] for name in ("I", "Peak"))
    return float(integrated), float(peak)


@pytest.mark.parametrize("volume", [0.01, 0.9])
def test_a_quiet_and_a_loud_source_become_equally_loud(
    tmp_path: Path, each_build: Tools, clip: Clip, volume: float
) -> None:
    source = clip(f"tone-{volume}.flac", f"-f lavfi -i anoisesrc=d=10:r=48000:a={volume}:c=brown:seed=1")
    delivered = Pipeline(tmp_path, each_build).run(source, ["podcast-mp3"])

    integrated, peak = loudness_of(delivered.entries["podcast-mp3"], each_build)
    (sound,) = delivered.results["podcast-mp3"]["audio"]
    assert integrated == pytest.approx(-16, abs=0.5)
    assert peak < 0
    assert sound["loudness"]["target"] == -16
    assert "loudness_normalised" in delivered.codes


def test_peaks_are_held_back_instead_of_cut(pipeline: Pipeline, clip: Clip) -> None:
    delivered = pipeline.run(clip("peaky.flac", f"-f lavfi -i {PEAKY}"), ["podcast-mp3"])

    (sound,) = delivered.results["podcast-mp3"]["audio"]
    assert sound["loudness"]["limited"]
    assert loudness_of(delivered.entries["podcast-mp3"], pipeline.tools)[1] < 0
    assert sound["duration"] == pytest.approx(12, abs=0.1)


def test_silence_has_no_loudness_and_is_left_alone(pipeline: Pipeline, clip: Clip) -> None:
    delivered = pipeline.run(clip("silence.flac", "-f lavfi -i anullsrc=r=48000:cl=mono -t 4"), ["podcast-mp3"])

    assert delivered.results["podcast-mp3"]["warnings"] == ["loudness_unmeasurable"]


def test_measuring_is_half_of_the_progress(pipeline: Pipeline, clip: Clip) -> None:
    media = pipeline.store(clip("long.flac", "-f lavfi -i anoisesrc=d=60:r=48000:a=0.1:seed=2"))
    (task, _) = pipeline.plan(media, pipeline.probe(media), ["podcast-mp3"]).tasks
    fractions = pipeline.fractions_of(task)

    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0, abs=0.1)
