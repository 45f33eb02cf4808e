"""Tags and chapters go with the sound, where a preset says so, and nothing else of a source's words does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.media.looking import said
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.domain.job import Variation
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]
CHAPTERS = ";FFMETADATA1\ntitle=Talk\nartist=Ann = Bob\ncomment=secret\nlocation=+47+8/\n" + "".join(
    f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={begin}\nEND={end}\ntitle={title}\n"
    for begin, end, title in ((0, 2000, "One"), (2000, 4500, "Two; and #more"), (4500, 6000, "Three"))
)


@pytest.fixture
def talk(clip: Clip, tmp_path: Path) -> Path:
    words = tmp_path / "labels.txt"
    words.write_text(CHAPTERS)
    return clip(
        "labelled.mp4",
        f"-f lavfi -i testsrc2=d=6:r=25:s=160x90 -f lavfi -i sine=d=6:r=48000 -f ffmetadata -i {words}"
        " -map 0 -map 1 -map_metadata 2 -map_chapters 2 -c:v libx264 -preset ultrafast -c:a aac",
    )


def chapters(found: dict[str, Any]) -> list[tuple[float, float, str]]:
    return [
        (round(float(one["start_time"]), 1), round(float(one["end_time"]), 1), one["tags"]["title"])
        for one in found["chapters"]
    ]


@pytest.mark.parametrize("preset", ["audio-aac", "podcast-mp3", "podcast-opus", "music-mp3"])
def test_a_sound_keeps_its_tags_and_chapters(tmp_path: Path, each_build: Tools, talk: Path, preset: str) -> None:
    delivered = Pipeline(tmp_path / "p", each_build).run(talk, [preset])
    found = said(delivered.entries[preset], each_build)
    tags = found["format"].get("tags") or found["streams"][0]["tags"]

    known = {name.lower(): value for name, value in tags.items()}
    assert (known["title"], known["artist"]) == ("Talk", "Ann = Bob")
    assert not {"comment", "location"} & set(known)
    assert chapters(found) == [(0.0, 2.0, "One"), (2.0, 4.5, "Two; and #more"), (4.5, 6.0, "Three")]


def test_a_film_says_nothing_of_itself_unless_the_preset_wants_it(pipeline: Pipeline, talk: Path) -> None:
    wanted = Variation(preset="mp4-720p", id="with", settings={"tags": True})
    delivered = pipeline.run(talk, ["mp4-720p", wanted, "archive"])
    bare, labelled, kept = (said(delivered.entries[name], pipeline.tools) for name in ("mp4-720p", "with", "archive"))

    assert "title" not in bare["format"]["tags"]
    assert bare["chapters"] == []
    for found in (labelled, kept):
        tags = {name.lower(): value for name, value in found["format"]["tags"].items()}
        assert tags["title"] == "Talk"
        assert [title for *_, title in chapters(found)] == ["One", "Two; and #more", "Three"]


def test_the_chapters_of_a_part_are_those_within_it(pipeline: Pipeline, talk: Path) -> None:
    part = Variation(preset="audio-aac", id="part", settings={"trim": {"start": 1.0, "end": 5.0}})
    delivered = pipeline.run(talk, [part])

    assert chapters(said(delivered.entries["part"], pipeline.tools)) == [
        (0.0, 1.0, "One"), (1.0, 3.5, "Two; and #more"), (3.5, 4.0, "Three"),
    ]  # fmt: skip
