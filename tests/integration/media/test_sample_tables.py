"""What is read from the tables in a header is what a pass over all packets finds."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.conftest import media_folder
from tests.integration.media.films import CLIPS, clip_of
from tests.integration.media.two_ways import both

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import MediaFacts
from omkt_pipeline.media import probing
from omkt_pipeline.media.sample_tables import extent_of
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]
Patch = pytest.MonkeyPatch

_PICTURE = "-f lavfi -i testsrc2=d=9:r=25:s=160x90 -c:v libx264 -preset veryfast -bf 3 -g 40"
_BOTH = f"-f lavfi -i sine=d=9:r=48000 {_PICTURE} -c:a aac -b:a 64k"
MADE = {
    "negative-offsets.mp4": f"{_BOTH} -movflags +negative_cts_offsets",
    "header-first.mp4": f"{_BOTH} -movflags +faststart",
    "quicktime.mov": f"{_BOTH} -timecode 01:00:00:00",
    "late-picture.mp4": _BOTH.replace("-f lavfi -i testsrc2", "-itsoffset 0.7 -f lavfi -i testsrc2"),
    "late-sound.mp4": f"-itsoffset 1.3 {_BOTH}",
    "silent.mp4": _PICTURE,
    "hevc.mp4": f"{_BOTH} -c:v libx265 -x265-params log-level=error",
    "prores.mov": f"{_BOTH} -c:v prores_ks",
    "values.mov": f"{_BOTH} -c:a pcm_s24le -ac 6",
    "late-values.mov": f"-itsoffset 1.3 {_BOTH} -c:a pcm_s16be",
    "many-values.mov": f"{_BOTH.replace('sine=d=9', 'sine=d=12.3456')} -c:a pcm_f32le",
    "telephone.mov": f"{_BOTH} -c:a pcm_alaw -ar 8000",
    "mp3.mp4": f"{_BOTH} -c:a libmp3lame",
    "opus.mp4": f"{_BOTH} -c:a libopus",
    "flac.mp4": f"{_BOTH} -c:a flac -strict -2",
    "eac3.mp4": f"{_BOTH} -c:a eac3",
    "vp9.mp4": f"{_BOTH} -c:v libvpx-vp9 -g 40",
    "mjpeg.mov": f"{_BOTH} -bf 0 -c:v mjpeg -pix_fmt yuvj420p -c:a pcm_u8",
    "animation.mov": f"{_BOTH} -c:v qtrle",
}  # fmt: skip


@pytest.mark.parametrize("name", [*MADE, *(name for name in CLIPS if name.endswith(".mp4")), "edit-list.mp4"])
def test_the_tables_say_what_all_packets_say(name: str, each_build: Tools, clip: Clip, monkeypatch: Patch) -> None:
    film = clip(f"tables-{name}", MADE[name]) if name in MADE else clip_of(clip, name)
    written, counted = both(film, each_build, monkeypatch)

    assert extent_of(film, written), "the tables of this film are plain"
    agree(written, counted)


def test_films_of_all_the_world(tools: Tools, monkeypatch: Patch) -> None:
    folder = media_folder()
    if folder is None:
        pytest.skip("no folder of media files beside the project")
    read = 0
    for film in sorted(folder.rglob("*.m*")):
        if film.suffix.lower() not in {".mp4", ".mov", ".m4a"} or "hostile" in film.parts:
            continue
        try:
            written, counted = both(film, tools, monkeypatch)
        except SourceError:
            continue
        read += extent_of(film, written) is not None
        agree(written, counted)
    assert read > 30


def test_a_film_that_was_trimmed_inside_a_long_picture_is_whole(each_build: Tools, clip: Clip) -> None:
    # Nothing moves for two and a half seconds, and the edit begins in the middle of that: its end is reached early.
    words = ("-f lavfi -i testsrc2=d=9:r=8797/1000:s=160x90 -f lavfi -i sine=d=6 -map 0 -map 1 -c:a aac -c:v libx265"
             " -vf select=not(eq(mod(n\\,7)\\,3))*not(between(n\\,20\\,41)) -fps_mode passthrough -preset ultrafast -g 5"
             " -x265-params log-level=error")  # fmt: skip
    film = clip("tables-still.mp4", words)
    trimmed = clip("tables-trimmed.mov", f"-ss 2.731 -i {film} -map 0 -c copy -avoid_negative_ts disabled")

    facts, _ = probing.probe(trimmed, tools=each_build, limits=Limits())

    assert facts.duration == pytest.approx(4.3, abs=0.2)
    assert facts.video[0].duration == facts.duration


def test_a_film_that_was_cut_off_is_not_believed(tmp_path: Path, tools: Tools, clip: Clip) -> None:
    whole = clip("tables-header-first.mp4", MADE["header-first.mp4"])
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])

    with pytest.raises(SourceError, match="breaks off") as caught:
        probing.probe(cut, tools=tools, limits=Limits())
    assert caught.value.code == "source_truncated"


def agree(written: MediaFacts, counted: MediaFacts) -> None:
    """Equal, but for the length of the last picture, which versions of ffprobe take from different places."""
    for ours, theirs in zip(written.video, counted.video, strict=True):
        assert ours.key_times == pytest.approx(theirs.key_times, abs=2e-6), written.bytes
        assert ours.model_copy(update={"key_times": theirs.key_times}) == theirs
    assert written.audio == counted.audio
    assert written.duration == pytest.approx(counted.duration, abs=0.1)
