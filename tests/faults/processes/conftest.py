"""Farms of real processes, and clips for them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.processes.farm import Farm

from omkt_pipeline.db.engine import Database
from omkt_pipeline.media.tools import Tools, find_tools


@pytest.fixture(scope="session")
def tools() -> Tools:
    return find_tools()


@pytest.fixture(scope="session")
def film(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds with picture and sound."""
    sound = ["-f", "lavfi", "-i", "sine=duration=3", "-c:a", "aac", "-shortest"]
    return _clip(tools, tmp_path_factory.mktemp("clips") / "film.mp4", sound)


@pytest.fixture(scope="session")
def silent_film(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of picture alone: one encode, one package."""
    return _clip(tools, tmp_path_factory.mktemp("clips") / "silent.mp4", [])


def _clip(tools: Tools, path: Path, sound: list[str]) -> Path:
    picture = ["-f", "lavfi", "-i", "testsrc2=duration=3:size=320x240:rate=25"]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    command = [str(tools.ffmpeg), "-loglevel", "error", *picture, *sound, *encode, str(path)]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)
    return path


@pytest.fixture
def farm(sqlite: Database, tools: Tools, tmp_path: Path) -> Iterator[Farm]:
    """A farm on SQLite."""
    farm = Farm(tmp_path, sqlite, tools)
    yield farm
    farm.close()


@pytest.fixture
def any_farm(database: Database, tools: Tools, tmp_path: Path) -> Iterator[Farm]:
    """A farm on every database that this run has."""
    farm = Farm(tmp_path, database, tools)
    yield farm
    farm.close()
