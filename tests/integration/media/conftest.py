"""The media tools of this machine, and clips to try them on."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.domain.errors import Unavailable
from omkt_pipeline.media.tools import Tools, find_tools

REPOSITORY = Path(__file__).parents[3]


def _builds() -> dict[str, Tools]:
    """Every ffmpeg that is here: the one of the system and the one of the wheels."""
    found: dict[str, Tools] = {}
    path = os.environ["PATH"]
    for name, searched in (("system", path), ("wheel", "/nonexistent")):
        os.environ["PATH"] = searched
        try:
            tools = find_tools()
        except Unavailable:
            continue
        finally:
            os.environ["PATH"] = path
        if tools not in found.values():
            found[name] = tools
    return found


BUILDS = _builds()


@pytest.fixture(scope="session")
def tools() -> Tools:
    """One working pair of tools; without any, every test of media fails with what to install."""
    return next(iter(BUILDS.values())) if BUILDS else find_tools()


@pytest.fixture(params=list(BUILDS) or ["none"])
def each_build(request: pytest.FixtureRequest) -> Tools:
    """Every pair of tools in turn."""
    return BUILDS[request.param] if BUILDS else find_tools()


@pytest.fixture(scope="session")
def newest(tools: Tools) -> Tools:
    """The newest pair of tools: older decoders of sounds do not stop where an edit list ends."""
    return max(BUILDS.values(), key=lambda one: one.major, default=tools)


@pytest.fixture
def pipeline(tmp_path: Path, tools: Tools) -> Pipeline:
    return Pipeline(tmp_path, tools)


@pytest.fixture(scope="session")
def clip(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a clip with ffmpeg's own sources: `clip("name.mp4", "-f lavfi -i …", …)`; equal clips are made once."""
    folder = tmp_path_factory.mktemp("clips")

    def make(name: str, words: str, *more: str) -> Path:
        path = folder / hashlib.sha256("\0".join((words, *more)).encode()).hexdigest()[:16] / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-y", *words.split(), *more, str(path)]
            subprocess.run(argv, check=True, timeout=120)
        return path

    return make


@pytest.fixture(scope="session")
def film(clip: Callable[..., Path]) -> Path:
    """Seven seconds of 640x360 at 25 frames with a tone."""
    return clip(
        "film.mp4",
        "-f lavfi -i testsrc2=d=7:r=25:s=640x360 -f lavfi -i sine=d=7:r=48000 -c:v libx264 -preset ultrafast -c:a aac",
    )


def media_folder() -> Path | None:
    """The collection of real files, where it is present."""
    folder = Path(os.environ.get("OMKT_TEST_MEDIA", REPOSITORY.parent / "shared" / "media"))
    return folder if (folder / "MANIFEST.json").is_file() else None


def without_network(argv: list[str]) -> list[str]:
    """The command in a network namespace of its own, where this user may have one."""
    unshare = shutil.which("unshare")
    words = [unshare or "unshare", "--net"] if os.geteuid() == 0 else [unshare or "unshare", "--user", "--net"]
    return [*words, *argv]
