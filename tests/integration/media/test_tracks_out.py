"""Sounds copied out of a film by its tables are, packet by packet, what a reader of the film is given."""

import struct
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.integration.media.films import SOUNDING, real_films

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.media.encode_argv import NOTHING_ELSE, begin
from omkt_pipeline.media.extract import alike
from omkt_pipeline.media.probing import probe
from omkt_pipeline.media.source import opened
from omkt_pipeline.media.tools import Tools
from omkt_pipeline.media.tracks_out import TABLED, copy_sounds

Clip = Callable[..., Path]

_PICTURE = "-f lavfi -i testsrc2=d=7:r=25:s=160x90"
_SOUND = "-f lavfi -i sine=d=7:r=48000"
_ENCODED = "-c:v libx264 -preset ultrafast -g 25"
TABLED_SOUNDING = {
    **{name: SOUNDING[name] for name in ("x-aac.mp4", "x-late.mp4", "x-late-picture.mp4")},
    "x-two.mp4": f"{_PICTURE} {_SOUND} -f lavfi -i sine=d=7:f=880 -map 1 -map 0 -map 2 {_ENCODED} -c:a aac -b:a:1 32k",
    "x-fast.mp4": f"{_PICTURE} {_SOUND} {_ENCODED} -c:a aac -movflags faststart",
    "x-alac.mov": f"{_PICTURE} {_SOUND} {_ENCODED} -c:a alac",
    "x-mp3-44.mp4": f"{_PICTURE} {_SOUND} {_ENCODED} -c:a libmp3lame -ar 44100",
    "x-ac3-44.mp4": f"{_PICTURE} {_SOUND} {_ENCODED} -c:a ac3 -ar 44100",
    "x-opus.mp4": f"{_PICTURE} {_SOUND} {_ENCODED} -c:a libopus",
    "x-flac.mp4": f"{_PICTURE} {_SOUND} {_ENCODED} -c:a flac -strict -2",
    "x-titles.mov": f"{_PICTURE} {_SOUND} {_ENCODED} -c:a aac -metadata title=A -metadata comment=B",
}
#: What says elsewhere, or in another way, where its samples lie.
LEFT = {
    "x-pcm.mov": SOUNDING["x-pcm.mov"],
    "x-mp3.mp4": SOUNDING["x-mp3.mp4"],  # one size for all samples: in QuickTime's old headers, not theirs
    "x-fragments.mp4": f"{_PICTURE} {_SOUND} {_ENCODED} -c:a aac -movflags frag_keyframe+empty_moov",
    "x-aac.mkv": f"{_PICTURE} {_SOUND} {_ENCODED} -c:a aac",
}


def copied(source: Path, target: Path, indexes: Sequence[int], most_bytes: int = 1 << 40) -> bool:
    return copy_sounds(source, target, indexes, most_bytes=most_bytes, moved=lambda _: None)


def proven(source: Path, copy: Path, indexes: Sequence[int], tools: Tools) -> bool:
    """Whether ffmpeg gives the same packets of the film and of the copy, read as an encode reads them."""
    lists = [copy.with_suffix(".film"), copy.with_suffix(".copy")]
    for path, target, tracks, how in (
        (source, lists[0], indexes, []),
        (copy, lists[1], range(len(indexes)), ["-copyts"]),
    ):
        mapped = [word for track in tracks for word in ("-map", f"0:{track}")]
        argv = [*begin(tools), *how, *opened(path, TABLED, Limits()), *mapped, *NOTHING_ELSE, "-c", "copy"]
        argv += ["-avoid_negative_ts", "disabled", "-f", "framecrc", f"file:{target}"]
        subprocess.run(argv, check=True, timeout=120, stdout=subprocess.DEVNULL)
    return lists[0].stat().st_size > 500 and alike(lists)


@pytest.mark.parametrize("name", TABLED_SOUNDING)
def test_a_copy_gives_the_packets_of_the_film(tmp_path: Path, each_build: Tools, clip: Clip, name: str) -> None:
    source = clip(name, TABLED_SOUNDING[name])
    facts, _ = probe(source, tools=each_build, limits=Limits())
    indexes = [track.index for track in facts.audio]

    assert facts.start == 0
    assert copied(source, tmp_path / "copy.mov", indexes)
    assert proven(source, tmp_path / "copy.mov", indexes, each_build)


def test_one_of_two_sounds_is_copied(tmp_path: Path, tools: Tools, clip: Clip) -> None:
    source = clip("x-two.mp4", TABLED_SOUNDING["x-two.mp4"])

    assert copied(source, tmp_path / "copy.mov", [2])
    assert proven(source, tmp_path / "copy.mov", [2], tools)
    assert (tmp_path / "copy.mov").stat().st_size < source.stat().st_size / 2


@pytest.mark.parametrize("name", LEFT)
def test_what_tables_do_not_say_plainly_is_left(tmp_path: Path, clip: Clip, name: str) -> None:
    assert not copied(clip(name, LEFT[name]), tmp_path / "copy.mov", [1])


def test_a_picture_is_no_sound(tmp_path: Path, clip: Clip) -> None:
    assert not copied(clip("x-aac.mp4", SOUNDING["x-aac.mp4"]), tmp_path / "copy.mov", [0])


def test_no_more_than_is_allowed_is_copied(tmp_path: Path, clip: Clip) -> None:
    assert not copied(clip("x-aac.mp4", SOUNDING["x-aac.mp4"]), tmp_path / "copy.mov", [1], most_bytes=1000)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_film_that_was_cut_off_is_left(tmp_path: Path, clip: Clip, share: float) -> None:
    whole = clip("x-fast.mp4", TABLED_SOUNDING["x-fast.mp4"]).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: int(len(whole) * share)])

    assert not copied(tmp_path / "cut.mp4", tmp_path / "copy.mov", [1])


def test_a_header_that_points_one_place_many_times_does_not_grow_the_copy(tmp_path: Path, clip: Clip) -> None:
    data = bytearray(clip("x-fast.mp4", TABLED_SOUNDING["x-fast.mp4"]).read_bytes())
    sizes = data.rindex(b"stsz")  # the sound's, which comes last
    (count,) = struct.unpack_from(">I", data, sizes + 12)
    struct.pack_into(f">{count}I", data, sizes + 16, *[50_000] * count)
    (tmp_path / "grown.mp4").write_bytes(data)

    assert not copied(tmp_path / "grown.mp4", tmp_path / "copy.mov", [1])


@pytest.mark.parametrize("film", real_films(), ids=lambda film: film.name)
def test_sounds_of_real_films(tmp_path: Path, tools: Tools, film: Path) -> None:
    facts, _ = probe(film, tools=tools, limits=Limits())
    indexes = [track.index for track in facts.audio]

    if facts.demuxer == TABLED and facts.start == 0 and indexes and copied(film, tmp_path / "copy.mov", indexes):
        assert proven(film, tmp_path / "copy.mov", indexes, tools)
