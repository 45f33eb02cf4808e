"""Closed captions, which lie inside pictures, are found, and go with them."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]
#: ATSC A/53 part 4, 6.2.3: user data of a picture with one pair of bytes of field 1, the letters "Hi" with odd parity.
_CAPTION = b"\x00\x00\x01\xb2GA94\x03\x41\xff\xfc\xc8\xe9\xff"
#: The extension behind each picture's header (ISO/IEC 13818-2, 6.2.3.1), and what follows it.
_PICTURE = re.compile(rb"(\x00\x00\x01\xb5[\x80-\x8f].{4,8}?)(?=\x00\x00\x01)", re.DOTALL)


@pytest.fixture
def captioned(clip: Clip, tmp_path: Path) -> Path:
    plain = clip("uncaptioned.m2v", "-f lavfi -i testsrc2=d=4:r=25:s=320x180 -c:v mpeg2video -g 12 -b:v 2M")
    target = tmp_path / "captioned.m2v"
    target.write_bytes(_PICTURE.sub(lambda found: found[1] + _CAPTION, plain.read_bytes()))
    return target


def test_captions_are_found_and_kept(tmp_path: Path, each_build: Tools, captioned: Path) -> None:
    pipeline = Pipeline(tmp_path / "p", each_build)
    delivered = pipeline.run(captioned, ["mp4-480p"])
    made = pipeline.probe(pipeline.store(delivered.entries["mp4-480p"]))

    assert delivered.facts.video[0].closed_captions
    assert made.video[0].closed_captions


def test_what_has_none_has_none(pipeline: Pipeline, clip: Clip) -> None:
    plain = clip("uncaptioned.m2v", "-f lavfi -i testsrc2=d=4:r=25:s=320x180 -c:v mpeg2video -g 12 -b:v 2M")

    assert not pipeline.probe(pipeline.store(plain)).video[0].closed_captions
