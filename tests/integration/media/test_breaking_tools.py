"""A source on which ffprobe breaks is refused for good; a tool that somebody ended is tried again."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from omkt_pipeline.domain.errors import OmktError
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.media import process
from omkt_pipeline.media.probing import probe
from omkt_pipeline.media.process import ProcessLimits, ToolKilled
from omkt_pipeline.media.tools import Tools


@pytest.mark.parametrize(
    ("signal", "code", "retryable"),
    [
        ("SEGV", "source_damaged", False), ("ABRT", "source_damaged", False), ("XCPU", "source_too_complex", False),
        ("KILL", "tool_killed", True),
    ],
)  # fmt: skip
def test_how_ffprobe_died_decides(
    tmp_path: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch, signal: str, code: str, retryable: bool
) -> None:
    dying = tmp_path / "ffprobe"
    dying.write_text(f"#!/bin/sh\nkill -{signal} $$\n")
    dying.chmod(dying.stat().st_mode | stat.S_IXUSR)
    source = tmp_path / "film"
    source.write_bytes(b"film")
    # The shell that stands in for the tool lies outside its reach.
    monkeypatch.setattr(process, "_reach_words", lambda _: [])

    with pytest.raises(OmktError) as failure:
        probe(source, tools=replace(tools, ffprobe=dying), limits=Limits())

    assert (failure.value.code, failure.value.retryable) == (code, retryable)


def test_a_child_that_calculates_too_long_is_told_so() -> None:
    with pytest.raises(ToolKilled) as failure:
        process.run(["/bin/sh", "-c", "while :; do :; done"], limits=ProcessLimits(wall_seconds=30, cpu_seconds=1))

    assert failure.value.by.name == "SIGXCPU"
