"""What is read from the heads of a Matroska film's blocks is what a pass over all packets finds."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.conftest import media_folder
from tests.integration.media.two_ways import agree, both, is_plain

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.media.probing import probe
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]
Patch = pytest.MonkeyPatch

_PICTURE = "-f lavfi -i testsrc2=d=9:r=25:s=160x90"
_SOUND = "-f lavfi -i sine=d=9:r=48000"
_H264 = "-c:v libx264 -preset veryfast -bf 3 -g 40"
_BOTH = f"{_SOUND} {_PICTURE} {_H264} -c:a aac -b:a 64k"
_DURATION = bytes.fromhex("448988")
MADE = {
    "plain.mkv": _BOTH,
    "index-first.mkv": f"{_BOTH} -cues_to_front 1 -reserve_index_space 2000",
    "ntsc.mkv": _BOTH.replace("r=25", "r=30000/1001"),
    "late-picture.mkv": _BOTH.replace("-f lavfi -i testsrc2", "-itsoffset 0.7 -f lavfi -i testsrc2"),
    "late-sound.mkv": f"-itsoffset 1.3 {_BOTH}",
    "short-sound.mkv": _BOTH.replace("sine=d=9", "sine=d=2"),
    "late-clock.mkv": f"{_BOTH} -output_ts_offset 30",
    "small-clusters.mkv": f"{_BOTH} -cluster_time_limit 120",
    "two-sounds.mkv": f"{_BOTH} -c:a:1 ac3 -c:a:2 libmp3lame -c:a:3 mp2 -map 1:v -map 0 -map 0 -map 0 -map 0",
    "surround.mkv": f"{_BOTH} -ac 6 -c:a dca -strict -2 -b:a 754k",
    "hevc.mkv": f"{_SOUND} {_PICTURE} -c:v libx265 -x265-params log-level=error:keyint=40 -c:a libopus",
    "vp8.webm": f"{_SOUND} {_PICTURE} -c:v libvpx -g 40 -auto-alt-ref 1 -c:a libopus",
    "vp9.webm": f"{_SOUND} {_PICTURE} -c:v libvpx-vp9 -g 40 -c:a libopus",
    "av1.webm": f"{_SOUND} {_PICTURE} -c:v libsvtav1 -preset 12 -g 40 -c:a libopus",
    "open-groups.mkv": _BOTH.replace(_H264, f"{_H264} -x264-params open-gop=1"),
}  # fmt: skip
NOT_PLAIN = {
    "live.mkv": f"{_BOTH} -live 1",
    "other-codec.mkv": _BOTH.replace(_H264, "-c:v mpeg4"),
    "flac.mkv": _BOTH.replace("-c:a aac -b:a 64k", "-c:a flac"),
    "still-for-long.mkv": f"{_BOTH} -vf select=lt(t\\,1)+gt(t\\,7) -fps_mode passthrough",
}


@pytest.mark.parametrize("name", MADE)
def test_the_blocks_say_what_all_packets_say(name: str, each_build: Tools, clip: Clip, monkeypatch: Patch) -> None:
    film = clip(f"blocks-{name}", MADE[name])

    written, counted = both(film, each_build, monkeypatch)

    assert is_plain(film, each_build, monkeypatch)
    agree(written, counted)


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_what_is_not_plain_is_read_packet_by_packet(
    name: str, each_build: Tools, clip: Clip, monkeypatch: Patch
) -> None:
    film = clip(f"blocks-{name}", NOT_PLAIN[name])

    assert not is_plain(film, each_build, monkeypatch)


def test_films_of_all_the_world(each_build: Tools, monkeypatch: Patch) -> None:
    folder = media_folder()
    if folder is None:
        pytest.skip("no folder of media files beside the project")
    read = 0
    for film in sorted(folder.rglob("*.[mw]*")):
        if film.suffix.lower() not in {".mkv", ".webm"} or "hostile" in film.parts:
            continue
        try:
            written, counted = both(film, each_build, monkeypatch)
        except SourceError:
            continue
        read += is_plain(film, each_build, monkeypatch)
        agree(written, counted)
    assert read > 10


def test_a_film_whose_header_claims_too_much_is_whole_by_its_blocks(
    tmp_path: Path, each_build: Tools, clip: Clip
) -> None:
    data = clip("blocks-plain.mkv", MADE["plain.mkv"]).read_bytes()
    at = data.index(_DURATION) + len(_DURATION)
    film = tmp_path / "film.mkv"
    film.write_bytes(data[:at] + struct.pack(">d", 60_000) + data[at + 8 :])

    facts, _ = probe(film, tools=each_build, limits=Limits())

    assert facts.duration == pytest.approx(9, abs=0.1)
