"""A folder for farms."""

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A name that shells and addresses would stumble over."""
    made = tmp_path / "a farm, #1 (50%)"
    made.mkdir()
    return made
