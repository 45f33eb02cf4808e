"""Sounds that are copied out of a film where its disk is give what the film gives: sample for sample."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.cutting import SHORT, TWO_SLOTS
from tests.integration.media.films import CLIPS, SOUNDING, real_films
from tests.integration.media.pipeline import Delivered, Pipeline

from omkt_pipeline.domain.job import Variation
from omkt_pipeline.domain.task import TaskKind
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]
AFAR = TWO_SLOTS.model_copy(update={"afar": True})

#: Copied by some builds, it begins some milliseconds later; so that the film is read.
SHIFTED = {"x-opus.mkv"}
#: The picture takes most of the time, and is not what is looked at.
SMALL = Variation(
    preset="mp4-480p", id="small", settings={"video": {"rungs": [{"size": 120, "crf": 30, "max_kbps": 200}]}}
)
WANTED = (
    "mp4-720p",
    "hls-h264",
    Variation(preset="mp4-720p", id="cut", settings={"trim": {"start": 1.3, "end": 5.1}}),
    Variation(preset="mp4-720p", id="loud", settings={"audio": {"loudness": -16}}),
)


@pytest.fixture(autouse=True)
def _cut_what_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omkt_pipeline.planning.chunks._LEAST_COST", 0.0)


def run(root: Path, tools: Tools, source: Path, *, afar: bool) -> Delivered:
    pipeline = Pipeline(root, tools, capacity=AFAR if afar else TWO_SLOTS, rules=SHORT)
    delivered = pipeline.run(source, WANTED)
    said = [bool(facts) for kind, facts in pipeline.settled if kind is TaskKind.EXTRACT]
    assert len(said) == afar
    assert all(said) or source.name in SHIFTED
    return delivered


def samples(path: Path, tools: Tools) -> bytes:
    argv = [str(tools.ffmpeg), "-v", "error", "-i", str(path), "-map", "0:a:0", "-f", "s16le", "-"]
    return subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout


@pytest.mark.parametrize("name", SOUNDING)
def test_what_is_copied_out_sounds_as_the_film_does(tmp_path: Path, each_build: Tools, clip: Clip, name: str) -> None:
    source = clip(name, SOUNDING[name])
    near = run(tmp_path / "near", each_build, source, afar=False)
    afar = run(tmp_path / "afar", each_build, source, afar=True)

    for output, entry in near.entries.items():
        heard = samples(entry, each_build)
        assert heard
        assert samples(afar.entries[output], each_build) == heard


def test_a_clock_that_no_copy_would_keep_is_read_in_the_film(tmp_path: Path, tools: Tools, clip: Clip) -> None:
    pipeline = Pipeline(tmp_path, tools, capacity=AFAR, rules=SHORT)
    delivered = pipeline.run(clip("plain.ts", CLIPS["plain.ts"]), ["mp4-720p"])

    assert TaskKind.EXTRACT not in {task.kind for task in delivered.plan.tasks}


def test_a_copy_that_differs_is_not_used(
    tmp_path: Path, tools: Tools, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omkt_metadata.extract.alike", lambda _: False)
    pipeline = Pipeline(tmp_path, tools, capacity=AFAR, rules=SHORT)
    delivered = pipeline.run(clip("x-flac.mkv", SOUNDING["x-flac.mkv"]), ["mp4-720p"])

    assert [facts for kind, facts in pipeline.settled if kind is TaskKind.EXTRACT] == [{}]
    assert samples(delivered.entries["mp4-720p"], tools)


@pytest.mark.parametrize("film", real_films(), ids=lambda film: film.name)
def test_real_films_sound_alike(tmp_path: Path, tools: Tools, film: Path) -> None:
    afar = Pipeline(tmp_path / "afar", tools, capacity=AFAR, rules=SHORT).run(film, [SMALL])

    if TaskKind.EXTRACT in {task.kind for task in afar.plan.tasks}:
        near = Pipeline(tmp_path / "near", tools, capacity=TWO_SLOTS, rules=SHORT).run(film, [SMALL])
        entries = [delivered.entries["small"] for delivered in (near, afar)]
        assert samples(entries[0], tools) == samples(entries[1], tools)
