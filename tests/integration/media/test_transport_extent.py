"""What is read from the heads of a transport stream's packets is what a pass over all frames finds."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.conftest import media_folder
from tests.integration.media.two_ways import agree, both, is_plain

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]
Patch = pytest.MonkeyPatch

_PICTURE = "-f lavfi -i testsrc2=d=9:r=25:s=160x90"
_SOUND = "-f lavfi -i sine=d=9:r=48000"
_H264 = "-c:v libx264 -preset veryfast -bf 3 -g 40"
_BOTH = f"{_SOUND} {_PICTURE} {_H264} -c:a aac -b:a 64k"
MADE = {
    "plain.ts": _BOTH,
    "ntsc.ts": _BOTH.replace("r=25", "r=30000/1001"),
    "film.ts": _BOTH.replace("r=25", "r=24000/1001").replace("r=48000", "r=44100"),
    "late-picture.ts": _BOTH.replace("-f lavfi -i testsrc2", "-itsoffset 0.7 -f lavfi -i testsrc2"),
    "late-sound.ts": f"-itsoffset 1.3 {_BOTH}",
    "short-sound.ts": _BOTH.replace("sine=d=9", "sine=d=4"),
    "late-clock.ts": f"{_BOTH} -output_ts_offset 3000",
    "constant-rate.ts": f"{_BOTH} -muxrate 2M",
    "many-sounds.ts": f"{_BOTH} -c:a:1 ac3 -c:a:2 libmp3lame -c:a:3 mp2 -c:a:4 eac3 -map 1:v -map 0 -map 0 -map 0 -map 0 -map 0",
    "hevc.ts": f"{_SOUND} {_PICTURE} -c:v libx265 -x265-params log-level=error:keyint=40 -c:a aac",
    "camcorder.m2ts": f"{_BOTH} -c:a ac3",
    "mute.ts": f"{_PICTURE} {_H264}",
    "open-groups.ts": _BOTH.replace(_H264, f"{_H264} -x264-params open-gop=1"),
}  # fmt: skip
NOT_PLAIN = {
    "opus.ts": _BOTH.replace("-c:a aac -b:a 64k", "-c:a libopus"),
    "interlaced.ts": f"{_BOTH} -vf scale=160:96 -pix_fmt yuv420p -flags +ilme+ildct",
    "uneven.ts": f"{_BOTH} -vf select=not(eq(mod(n\\,7)\\,3)) -fps_mode passthrough",
    "mpeg2.ts": _BOTH.replace(_H264, "-c:v mpeg2video"),
    "clock-ends.ts": f"{_BOTH} -output_ts_offset 95440",
}


@pytest.mark.parametrize("name", MADE)
def test_the_packets_say_what_all_frames_say(name: str, each_build: Tools, clip: Clip, monkeypatch: Patch) -> None:
    film = clip(f"transport-{name}", MADE[name])

    written, counted = both(film, each_build, monkeypatch)

    assert is_plain(film, each_build, monkeypatch)
    agree(written, counted)


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_what_is_not_plain_is_read_frame_by_frame(name: str, each_build: Tools, clip: Clip, monkeypatch: Patch) -> None:
    film = clip(f"transport-{name}", NOT_PLAIN[name])

    assert not is_plain(film, each_build, monkeypatch)


def test_streams_of_all_the_world(each_build: Tools, monkeypatch: Patch) -> None:
    folder = media_folder()
    if folder is None:
        pytest.skip("no folder of media files beside the project")
    read = 0
    for film in sorted(folder.rglob("*.*ts")):
        if "hostile" in film.parts:
            continue
        try:
            written, counted = both(film, each_build, monkeypatch)
        except SourceError:
            continue
        read += 1
        agree(written, counted)
    assert read > 5
