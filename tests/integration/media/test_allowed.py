"""What is not on the lists is not opened: tried with every demuxer and decoder of the build, not with those we thought of."""

from collections.abc import Callable
from pathlib import Path

import pytest

from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.media.process import ProcessLimits, Reach, ToolExited, run
from omkt_pipeline.media.source import DECODERS, DEMUXERS, guards
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]
LIMITS = ProcessLimits(wall_seconds=30)
#: Demuxers that open anything at all, or run something of their own, must never come onto the list.
NEVER = {
    "concat",
    "hls",
    "dash",
    "lavfi",
    "image2",
    "image2pipe",
    "sdp",
    "rtsp",
    "rtp",
    "imf",
    "webvtt",
    "srt",
    "tty",
    "data",
}


def opened_with(tools: Tools, demuxer: str, path: Path) -> str:
    """What ffprobe says when it is made to open a file with one demuxer."""
    argv = [str(tools.ffprobe), "-v", "error", *guards(Limits(), probing=True), "-f", demuxer, "-i", f"file:{path}"]
    try:
        return run(argv, limits=LIMITS, reach=Reach(reads=(path,))).stderr_tail
    except ToolExited as error:
        return error.log_tail or ""


def test_no_demuxer_that_reads_other_files_is_allowed() -> None:
    assert not NEVER & set(DEMUXERS)


def test_every_demuxer_of_the_build_that_is_not_listed_is_refused(tools: Tools, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.write_bytes(b"anything at all\n" * 100)
    # A demuxer has several names, and any of them on the list allows it.
    known = run([str(tools.ffmpeg), "-hide_banner", "-demuxers"], limits=LIMITS).stdout.decode().partition("--\n")[2]
    groups = [line.split()[1] for line in known.splitlines() if len(line.split()) > 1]
    others = [group for group in groups if not set(group.split(",")) & set(DEMUXERS)]

    assert len(others) > 100
    answers = {group: opened_with(tools, group.split(",")[0], source) for group in others}

    # A device's demuxer may be refused sooner: it is no format of files.
    refused = ("not on whitelist", "Unknown input format", "not in whitelist")
    assert {group: said for group, said in answers.items() if not any(word in said for word in refused)} == {}


def test_every_protocol_of_the_build_but_file_is_refused(tools: Tools) -> None:
    said = run([str(tools.ffmpeg), "-hide_banner", "-protocols"], limits=LIMITS).stdout.decode()
    protocols = set(said.partition("Input:")[2].partition("Output:")[0].split()) - {"file", "pipe", "fd"}

    assert "http" in protocols
    for protocol in protocols:
        argv = [str(tools.ffprobe), "-v", "error", *guards(Limits(), probing=True), "-i", f"{protocol}:/etc/hostname"]
        with pytest.raises(ToolExited):
            run(argv, limits=LIMITS, reach=Reach())


def test_a_codec_that_is_not_listed_is_not_decoded(tools: Tools, clip: Clip) -> None:
    source = clip("rare.mkv", "-f lavfi -i testsrc2=d=1:r=5:s=64x64 -c:v snow -strict -2")
    argv = [str(tools.ffmpeg), "-v", "error", *guards(Limits()), "-i", f"file:{source}", "-f", "null", "-"]

    with pytest.raises(ToolExited) as refusal:
        run(argv, limits=LIMITS, reach=Reach(reads=(source,)))

    assert "snow" not in DECODERS
    assert "not on whitelist" in (refusal.value.log_tail or "")
