"""One farm in containers for the whole tier: built, brought up, taken down with its volumes."""

import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from omkt_pipeline.media.tools import find_tools
from tests.containers.farm import HERE, ROOT, ContainerFarm, run


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    folder.chmod(0o755)
    shutil.copy(ROOT / "demo" / "clip.mp4", folder / "clip.mp4")
    ffmpeg = str(find_tools().ffmpeg)
    pattern = ("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=20", "-c:v", "libx264", "-preset", "ultrafast")
    run(ffmpeg, "-v", "error", *pattern, str(folder / "long.mp4"))
    for clip in folder.iterdir():
        clip.chmod(0o644)
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def farm(tmp_path_factory: pytest.TempPathFactory, clips: Path) -> Iterator[ContainerFarm]:
    with farm_in_containers(tmp_path_factory.mktemp("farm"), clips) as farm:
        yield farm


@contextmanager
def farm_in_containers(
    folder: Path, clips: Path, *overlays: Path, environment: dict[str, str] | None = None
) -> Iterator[ContainerFarm]:
    """A farm with an account, and with more Compose files and variables of theirs; down at the end, with its volumes."""
    shutil.copy(HERE / "outsider.py", folder)
    (folder / "outsider.py").chmod(0o644)
    run("sh", "compose/init.sh", str(folder / "secrets"))
    port, outsider_port = free_port(), free_port()
    farm = ContainerFarm(
        environment={
            "COMPOSE_PROJECT_NAME": f"omkt-test-{os.getpid()}",
            "COMPOSE_PROFILES": "main,workers",
            "OMKT_SECRETS_DIR": str(folder / "secrets"),
            "OMKT_HTTP_PORT": str(port),
            "OMKT_TEST_FOLDER": str(folder),
            "OMKT_TEST_CLIPS": str(clips),
            "OMKT_TEST_OUTSIDER_PORT": str(outsider_port),
            **(environment or {}),
        },
        overlays=overlays,
        port=port,
        outsider_port=outsider_port,
    )
    try:
        farm.compose("build")
        farm.compose("up", "-d", "--wait", "--wait-timeout", "240")
        made = json.loads(farm.compose("exec", "-T", "api", "omkt", "accounts", "create", "tester", "--json"))
        farm.key, farm.webhook_secret = made["key"], made["webhook_secret"]
        yield farm
    finally:
        if os.environ.get("OMKT_TEST_KEEP") != "1":
            (folder / "farm.log").write_text(farm.compose("logs", "--no-color", check=False))
            farm.compose("down", "-v", "--timeout", "5", check=False)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
