"""Closed captions, which lie inside pictures, are found, and go with them."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.cutting import SHORT, TWO_SLOTS
from tests.integration.media.looking import captioned_frames, packet_count
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]
#: ATSC A/53 part 4, 6.2.3: user data of a picture with one pair of bytes of field 1, the letters "Hi" with odd parity.
_CAPTION = b"\x00\x00\x01\xb2GA94\x03\x41\xff\xfc\xc8\xe9\xff"
#: The extension behind each picture's header (ISO/IEC 13818-2, 6.2.3.1), and what follows it.
_PICTURE = re.compile(rb"(\x00\x00\x01\xb5[\x80-\x8f].{4,8}?)(?=\x00\x00\x01)", re.DOTALL)

_PLAIN = "-f lavfi -i testsrc2=d=4:r=25:s=320x180 -c:v mpeg2video -g 12 -b:v 2M"


@pytest.fixture
def captioned(clip: Clip, tmp_path: Path) -> Path:
    plain = clip("uncaptioned.m2v", _PLAIN)
    target = tmp_path / "captioned.m2v"
    target.write_bytes(_PICTURE.sub(lambda found: found[1] + _CAPTION, plain.read_bytes()))
    return target


def test_captions_are_found_and_kept(tmp_path: Path, each_build: Tools, captioned: Path) -> None:
    pipeline = Pipeline(tmp_path / "p", each_build)
    delivered = pipeline.run(captioned, ["mp4-480p"])
    made = pipeline.probe(pipeline.store(delivered.entries["mp4-480p"]))

    assert delivered.facts.video[0].closed_captions
    assert made.video[0].closed_captions


@pytest.mark.parametrize("preset", ["mp4-480p", "omkt-video-480p-mpeg"])
def test_every_picture_keeps_its_own(tmp_path: Path, each_build: Tools, captioned: Path, preset: str) -> None:
    delivered = Pipeline(tmp_path / "p", each_build).run(captioned, [preset])

    assert "captions_kept" in delivered.codes
    made = delivered.entries[preset]
    assert captioned_frames(made, each_build) == packet_count(made, each_build) >= 100


def test_they_go_through_chunks_and_into_segments(
    tmp_path: Path, tools: Tools, captioned: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omkt_pipeline.planning.chunks._LEAST_COST", 0.0)
    short = clip("captioned.mp4", f"-i {captioned} -c:v libx264 -preset veryfast -g 25")
    film = clip("captioned-long.mp4", f"-stream_loop 3 -i {short} -c copy")
    pipeline = Pipeline(tmp_path / "p", tools, capacity=TWO_SLOTS, rules=SHORT)
    delivered = pipeline.run(film, ["hls-h264"])
    (rendition,) = sorted(delivered.folders["hls-h264"].glob("*p/init.mp4"))
    joined = tmp_path / "joined.mp4"
    joined.write_bytes(b"".join(part.read_bytes() for part in (rendition, *sorted(rendition.parent.glob("*.m4s")))))

    assert {"chunked", "captions_kept"} <= delivered.codes
    assert captioned_frames(joined, tools) == packet_count(joined, tools) >= 400


@pytest.mark.parametrize("preset", ["mp4-hevc-1080p", "webm-vp9-720p", "mp4-av1-1080p"])
def test_codecs_that_lose_them_say_so(pipeline: Pipeline, captioned: Path, preset: str) -> None:
    assert "captions_dropped" in pipeline.run(captioned, [preset]).codes


def test_what_has_none_has_none(pipeline: Pipeline, clip: Clip) -> None:
    delivered = pipeline.run(clip("uncaptioned.m2v", _PLAIN), ["mp4-480p"])

    assert not delivered.facts.video[0].closed_captions
    assert not {"captions_kept", "captions_dropped"} & delivered.codes
