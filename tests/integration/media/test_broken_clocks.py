"""Streams whose clock begins anew in the middle, as recorders and joined files have it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.looking import first_light, first_sound, streams
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]


def test_picture_and_sound_stay_together_over_a_jump(tmp_path: Path, each_build: Tools, clip: Clip) -> None:
    # The last part has a silent black second, then white and a tone; the one before it has no sound at all, and the first is
    # in stereo, the last is not.
    dark = "-f lavfi -i color=black:s=320x180:r=25:d=2 -f lavfi -i anullsrc=r=48000:d=2"
    mute = "-f lavfi -i color=black:s=320x180:r=25:d=2"
    flash = ("-f lavfi -i color=black:s=320x180:r=25:d=1 -f lavfi -i color=white:s=320x180:r=25:d=1"
             " -f lavfi -i aevalsrc=if(gte(t\\,1)\\,0.5*sin(3000*t)\\,0):d=2:s=48000"
             " -filter_complex [0][1]concat -map 2")  # fmt: skip
    ends = "-c:v libx264 -g 25 -pix_fmt yuv420p -c:a aac -f mpegts -output_ts_offset"
    wanted = (("dark", dark, 500), ("mute", mute, 1), ("flash", flash, 9000))
    parts = [clip(f"{name}.ts", f"{words} {ends} {at}") for name, words, at in wanted]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    delivered = Pipeline(tmp_path / "farm", each_build).run(joined, ["mp4-480p"])
    made = delivered.entries["mp4-480p"]

    assert delivered.facts.duration == pytest.approx(6.0, abs=0.2)
    assert float(streams(made, each_build)[0]["duration"]) == pytest.approx(6.0, abs=0.2)
    assert first_light(made, each_build) / 25 == pytest.approx(5.0, abs=0.2)
    assert first_sound(made, each_build) == pytest.approx(first_light(made, each_build) / 25, abs=0.1)
