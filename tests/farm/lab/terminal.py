"""A developer's terminal on a guest's second console."""

import os
import re
import select
import sys
import termios
import tty

from tests.farm.lab.guest import Guest

_LEAVE = b"\x1d"  # Ctrl-]


def join(guest: Guest) -> int:
    """Join the guest's shell until Ctrl-]."""
    devices = re.findall(r"assigned device '(/dev/pts/\d+)'", guest.console.read_text(errors="replace"))
    if not devices:
        print(f"{guest.name} has no console yet; its log: {guest.console}", file=sys.stderr)
        return 1
    print(f"{guest.name}: press Enter for a prompt, Ctrl-] to leave", file=sys.stderr)
    there = os.open(devices[-1], os.O_RDWR | os.O_NOCTTY)
    tty.setraw(there)
    mine = sys.stdin.fileno()
    before = termios.tcgetattr(mine) if os.isatty(mine) else None
    try:
        if before is not None:
            tty.setraw(mine)
        _relay(mine, there)
    finally:
        if before is not None:
            termios.tcsetattr(mine, termios.TCSADRAIN, before)
        os.close(there)
    return 0


def _relay(mine: int, there: int) -> None:
    while True:
        for ready in select.select([mine, there], [], [])[0]:
            block = os.read(ready, 4096)
            if not block or (ready == mine and _LEAVE in block):
                return
            os.write(there if ready == mine else sys.stdout.fileno(), block)
