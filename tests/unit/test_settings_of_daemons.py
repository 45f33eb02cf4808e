"""Limits of a daemon that contradict each other are refused at start, by name."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from omkt_pipeline.settings import DaemonSettings


def _settings(**limits: float) -> DaemonSettings:
    return DaemonSettings(database_url="sqlite:////nowhere", share_root=Path("/nowhere"), **limits)  # type: ignore[arg-type]


def test_a_stall_limit_shorter_than_a_beat_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"OMKT_STALL_SECONDS.*OMKT_BEAT_SECONDS"):
        _settings(stall_seconds=4, beat_seconds=5)


def test_a_stall_limit_of_one_beat_is_allowed() -> None:
    assert _settings(stall_seconds=5, beat_seconds=5).stall_seconds == 5
