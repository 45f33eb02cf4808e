"""What our own reading of a movie header says is what ffprobe says."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from omkt_pipeline.media.made import header_of, probed_tracks
from omkt_pipeline.media.moov import movie_tracks
from omkt_pipeline.media.tools import Tools

_PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=318x178:rate=30000/1001:duration=2"]
_SOUND = ["-f", "lavfi", "-i", "sine=sample_rate=44100:duration=2"]
_X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
_AAC = ["-c:a", "aac"]


def _make(tools: Tools, path: Path, words: Sequence[str]) -> Path:
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", *words, f"file:{path}"]
    subprocess.run(argv, check=True)
    return path


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([*_PICTURE, *_X264], id="picture"),
        pytest.param([*_PICTURE, *_X264, "-preset", "medium", "-bf", "3"], id="reordered frames and an edit list"),
        pytest.param([*_PICTURE, *_X264, "-movflags", "+faststart"], id="header first"),
        pytest.param([*_SOUND, *_AAC], id="sound"),
        pytest.param([*_SOUND, *_AAC, "-ac", "2", "-ar", "48000"], id="stereo"),
        pytest.param([*_SOUND, *_AAC, "-ac", "6"], id="5.1"),
        pytest.param([*_PICTURE, *_SOUND, *_X264, *_AAC], id="both"),
    ],
)
def test_a_movie_header_is_read_as_ffprobe_reads_it(tools: Tools, tmp_path: Path, words: Sequence[str]) -> None:
    path = _make(tools, tmp_path / "made.mp4", words)
    ours, theirs = movie_tracks(path), probed_tracks(path, tools=tools, stop=None)
    assert ours is not None
    assert [(t.kind, t.codec, t.samples, t.width, t.height, t.channels) for t in ours] == [
        (t.kind, t.codec, t.samples, t.width, t.height, t.channels) for t in theirs
    ]
    for one, other in zip(ours, theirs, strict=True):
        assert one.duration == pytest.approx(other.duration, abs=0.05)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fragments.mp4", [*_PICTURE, *_X264, "-movflags", "+frag_keyframe+empty_moov"]),
        ("other-sound.mp4", [*_SOUND, "-c:a", "libmp3lame"]),
        ("other-format.mkv", [*_PICTURE, *_X264]),
    ],
)
def test_what_it_does_not_know_is_left_to_ffprobe(
    tools: Tools, tmp_path: Path, name: str, words: Sequence[str]
) -> None:
    assert movie_tracks(_make(tools, tmp_path / name, words)) is None


def test_a_file_cut_short_is_no_movie(tools: Tools, tmp_path: Path) -> None:
    whole = _make(tools, tmp_path / "made.mp4", [*_PICTURE, *_X264])
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[:-200])
    assert movie_tracks(cut) is None


@pytest.mark.parametrize(
    "codec",
    [
        pytest.param(_X264, id="h264"),
        pytest.param(
            ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", "-tag:v", "hvc1"], id="hevc"
        ),
        pytest.param(["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"], id="vp9"),
        pytest.param(["-c:v", "libsvtav1", "-preset", "12"], id="av1"),
    ],
)
def test_the_decoders_header_is_hashed_as_ffprobe_hashes_it(tmp_path: Path, tools: Tools, codec: list[str]) -> None:
    made = _make(tools, tmp_path / "made.mp4", [*_PICTURE, *codec])
    asked = ["-show_data_hash", "sha256", "-show_entries", "stream=extradata_hash", "-of", "csv=p=0"]
    argv = [str(tools.ffprobe), "-v", "error", *asked, str(made)]

    said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    assert header_of(made) == said
