"""Runs inside a guest: takes commands from a mailbox on the machine outside, answers with their output and status.

The mailbox is a folder of that machine (hostfs), so commands get through whatever happens to the guest's network. Commands
are numbered from 1 and each file is written once and never removed: the guest's kernel has nothing stale to remember.
"""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

mailbox = Path(sys.argv[1])
boot = (mailbox / "boot").read_text()


def perform(number: int, command: dict[str, Any]) -> None:
    try:
        done = subprocess.run(
            command["words"], capture_output=True, timeout=command["seconds"], stdin=subprocess.DEVNULL, check=False
        )
        answer = {
            "status": done.returncode,
            "out": done.stdout.decode("utf-8", "replace"),
            "err": done.stderr.decode("utf-8", "replace"),
        }
    except subprocess.TimeoutExpired as late:
        answer = {
            "status": 124,
            "out": (late.stdout or b"").decode("utf-8", "replace"),
            "err": f"not within {command['seconds']} s",
        }
    except OSError as error:
        answer = {"status": 127, "out": "", "err": str(error)}
    part = mailbox / f"{boot}-{number}.answer.part"
    part.write_text(json.dumps(answer))
    part.rename(mailbox / f"{boot}-{number}.answer")


(mailbox / f"{boot}.up").write_text("up")
number = 1
while True:
    path = mailbox / f"{boot}-{number}.command"
    if path.exists():
        threading.Thread(target=perform, args=(number, json.loads(path.read_text())), daemon=True).start()
        number += 1
    else:
        time.sleep(0.1)
