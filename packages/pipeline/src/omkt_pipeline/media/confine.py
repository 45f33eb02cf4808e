"""Become a media tool with nothing in reach: run as `python -I -S confine.py PARENT LIMITS -- ARGV...`.

The standard library alone, and a process of its own instead of a preexec_fn: the parent has threads, and code between
fork and exec of such a process may deadlock. The session and the environment are set by the parent.
"""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_RESOURCES = {
    "as": resource.RLIMIT_AS,
    "fsize": resource.RLIMIT_FSIZE,
    "cpu": resource.RLIMIT_CPU,
    "nofile": resource.RLIMIT_NOFILE,
    "core": resource.RLIMIT_CORE,
}
CANNOT_CONFINE = 125


def main(arguments: list[str]) -> None:
    """Apply PARENT (its pid) and LIMITS (`as=1,cpu=2`), then exec what follows `--`."""
    parent, limits, _, *argv = arguments
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((_PR_SET_PDEATHSIG, signal.SIGKILL), (_PR_SET_NO_NEW_PRIVS, 1)):
        if libc.prctl(option, int(value), 0, 0, 0) != 0:
            sys.exit(CANNOT_CONFINE)
    # A parent that died before the line above can no longer take us along.
    if os.getppid() != int(parent):
        sys.exit(CANNOT_CONFINE)
    for item in filter(None, limits.split(",")):
        name, _, amount = item.partition("=")
        kind = _RESOURCES[name]
        hard = resource.getrlimit(kind)[1]
        value = int(amount) if hard == resource.RLIM_INFINITY else min(int(amount), hard)
        resource.setrlimit(kind, (value, value))
    os.execv(argv[0], argv)  # noqa: S606 - becoming the tool is what this file is for


if __name__ == "__main__":
    main(sys.argv[1:])
