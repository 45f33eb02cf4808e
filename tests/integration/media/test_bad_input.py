import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.conftest import REPOSITORY, media_folder, without_network
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.domain.errors import OmktError, SourceError, Stopped
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]

SIBLING = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:{path}\n#EXT-X-ENDLIST\n"
SCRIPT = "ffconcat version 1.0\nfile {path}\n"

#: What each of the real broken and hostile files must end with; None: it is delivered.
WANTED = {
    "broken/truncated-100000-bytes.mp4": "source_truncated",
    "broken/no-streams.mp4": "source_no_tracks",
    "broken/unsupported-vvc.mp4": "source_unsupported",
    "broken/encrypted-clearkey.mp4": "source_encrypted",
    "ts-many-subtitles-no-parameters.ts": "source_damaged",
    "hostile/zero-bytes.mp4": "source_empty",
    "hostile/prose.mp4": "source_not_media",
    "hostile/random-64k.mp4": "source_not_media",
    "hostile/archive.mp4": "source_not_media",
    "hostile/hls-sibling-media.mp4": "source_not_media",
    "hostile/hls-ssrf.mp4": "source_not_media",
    "hostile/ffconcat-sibling-traversal.mp4": "source_not_media",
    "hostile/truncated-no-moov.mp4": "source_truncated",
    "hostile/truncated-half.mp4": "source_truncated",
    "hostile/gap-24h-two-frames.mkv": "source_too_long",
    "hostile/duration-1000h-one-frame.mkv": "source_truncated",
    "hostile/stsz-268M-entries.mp4": "source_damaged",
    "hostile/nested-atoms-20000.mp4": "source_damaged",
    "hostile/ts-only-null-packets.ts": "source_not_media",
    "hostile/declared-65535x65535.mp4": None,
    "hostile/metadata-injection.mkv": None,
    "hostile/mkv-attachment-traversal.mkv": None,
    "hostile/gif-infinite-1px.gif": None,
}


def code_of(pipeline: Pipeline, source: Path) -> str | None:
    """The code with which a source is refused, or None when it is delivered."""
    try:
        pipeline.run(source, ["hls-h264"])
    except OmktError as error:
        return f"{error.code}, and tried again" if error.retryable else error.code
    return None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "source_empty"),
        (b"x", "source_not_media"),
        (b"Dear Sir or Madam, " * 500, "source_not_media"),
        (b"<html><script>alert(1)</script></html>" * 50, "source_not_media"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "source_truncated"),
    ],
)
def test_what_is_not_media_is_refused_with_a_reason(
    tmp_path: Path, each_build: Tools, content: bytes, code: str
) -> None:
    source = tmp_path / "upload"
    source.write_bytes(content)

    assert code_of(Pipeline(tmp_path, each_build), source) == code


@pytest.mark.parametrize("text", [SIBLING, SCRIPT])
def test_a_playlist_dressed_as_a_film_reads_no_other_file(
    tmp_path: Path, each_build: Tools, film: Path, text: str
) -> None:
    source = tmp_path / "film.mp4"
    source.write_text(text.format(path=film))

    assert code_of(Pipeline(tmp_path, each_build), source) == "source_not_media"


def test_a_film_that_breaks_off_is_refused_before_it_is_encoded(pipeline: Pipeline, clip: Clip, tmp_path: Path) -> None:
    whole = clip("fast.mp4", "-f lavfi -i testsrc2=d=20:r=25:s=320x180 -c:v libx264 -movflags +faststart")
    half = tmp_path / "half.mp4"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    with pytest.raises(SourceError) as refusal:
        pipeline.probe(pipeline.store(half))

    assert refusal.value.code == "source_truncated"


def test_a_film_whose_pictures_are_rubbish_never_succeeds(pipeline: Pipeline, clip: Clip, tmp_path: Path) -> None:
    data = bytearray(clip("steady.mkv", "-f lavfi -i testsrc2=d=10:r=25:s=320x180 -c:v libx264 -g 250").read_bytes())
    data[4000:-4000] = os.urandom(len(data) - 8000)
    rubbish = tmp_path / "rubbish.mkv"
    rubbish.write_bytes(data)

    assert str(code_of(pipeline, rubbish)).startswith("source_")


def test_too_long_and_too_large_are_refused_by_the_farms_own_limits(tmp_path: Path, tools: Tools, film: Path) -> None:
    small = Pipeline(tmp_path / "a", tools, Limits(max_pixels=10_000))
    short = Pipeline(tmp_path / "b", tools, Limits(max_duration_seconds=5))

    assert code_of(small, film) in ("source_too_large", "source_damaged", "source_not_media")
    assert code_of(short, film) == "source_too_long"


def test_an_encode_that_is_told_to_stop_stops(pipeline: Pipeline, film: Path) -> None:
    media = pipeline.store(film)
    plan = pipeline.plan(media, pipeline.probe(media), ["hls-h264"])
    task = next(task for task in plan.tasks if task.key == "video")

    with pytest.raises(Stopped):
        pipeline.stopped_encode(task)


def test_hostile_names_do_not_matter(pipeline: Pipeline, film: Path) -> None:
    folder = pipeline.share.root / "incoming"
    for name in ("-i pipe:1.mp4", 'it\'s "quoted".mp4', "new\nline.mp4", "concat:a|b.mp4", "%d.mp4", "日本 語.mp4"):
        (folder / name).write_bytes(film.read_bytes())

        assert pipeline.run_stored(f"incoming/{name}", ["mp4-720p"]).results["mp4-720p"]["duration"] > 6


def test_real_broken_and_hostile_files_end_as_they_should(tmp_path: Path) -> None:
    folder = media_folder()
    files = [folder / name for name in WANTED] if folder else []
    argv = [sys.executable, "-c", "from tests.integration.media.test_bad_input import main; main()"]
    done = subprocess.run(
        without_network([*argv, str(tmp_path), *map(str, files)]),
        cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-2000:]
    found = [line for line in done.stdout.splitlines() if "|" in line]
    assert found == [f"{path.name}|{code}" for path, code in zip(files, WANTED.values(), strict=False)]


def main() -> None:
    """Print how each file of the command line ends; run without a network."""
    from omkt_pipeline.media.tools import find_tools  # noqa: PLC0415

    root, *files = map(Path, sys.argv[1:])
    for number, path in enumerate(files):
        print(f"{path.name}|{code_of(Pipeline(root / str(number), find_tools()), path)}")
