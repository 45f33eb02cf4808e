"""This checkout's images, built by the outer engine and loaded into the guests' disk."""

import os
import subprocess
from pathlib import Path

from tests.farm.lab.disk import with_images

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "var" / "farm" / "cache"
#: Tag of the images; one of our own, since others may build theirs at the same time.
VERSION = "farm"
_IMAGES = ("mysql:9.7", *(f"omkt-{name}:{VERSION}" for name in ("api", "metadata", "transcoder")))


def disk() -> Path:
    """The guests' disk with the images of this checkout; what has not changed is not built again."""
    environment = os.environ | {"OMKT_SECRETS_DIR": "/nonexistent", "OMKT_VERSION": VERSION}
    words = ["docker", "compose", "--profile", "*", "build", "--quiet"]
    subprocess.run(words, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=True)
    return with_images(CACHE, _IMAGES)
