"""The containers' health check: `python -m omkt_pipeline.health [URL]`; exit code 0 means healthy.

Without a URL it looks at the daemon's liveness file: its loops turn. It touches neither the database nor the share,
since restarting a daemon cures neither. It is patient: on a host whose cores all encode, an answer may take seconds, and
`docker compose up --wait` gives up at the first container that counts as unhealthy.
"""

import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

STALE_SECONDS = 60.0
ANSWER_SECONDS = 20.0


def daemon_lives(file: Path) -> bool:
    """Whether the daemon touched its file lately."""
    try:
        return time.time() - file.stat().st_mtime < STALE_SECONDS
    except OSError:
        return False


def answers(url: str) -> bool:
    """Whether the URL answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as response:  # noqa: S310 - the operator's own URL
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def main() -> int:
    if len(sys.argv) > 1:
        return 0 if answers(sys.argv[1]) else 1
    return 0 if daemon_lives(Path(os.environ.get("OMKT_LIVENESS_FILE", "/tmp/omkt-alive"))) else 1  # noqa: S108


if __name__ == "__main__":
    sys.exit(main())
