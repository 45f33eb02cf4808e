"""Media tools that misbehave: small programs in front of the real ones, the same in everything else."""

import sys
from pathlib import Path

_FRAME = """#!{python} -IS
import os, signal, subprocess, sys, time
ARGV = sys.argv[1:]
if "-i" in ARGV and not os.path.exists({healed!r}):
{fault}
os.execv({tool!r}, [{tool!r}, *ARGV])
"""

#: Reads nothing and says nothing.
HANGING = "time.sleep(600)"
#: Reads its input at a fifth of its speed.
SLOW = "ARGV[ARGV.index('-i'):ARGV.index('-i')] = ['-readrate', '0.2']"
#: Reads its input as fast as it plays.
LIVE = "ARGV[ARGV.index('-i'):ARGV.index('-i')] = ['-readrate', '1']"
#: Reads but the first second of its input, and is content.
SHORT = "ARGV[ARGV.index('-i'):ARGV.index('-i')] = ['-t', '1']"
#: Says that it works, and does not; a helper of it takes no request to stop.
STALLED = """
helper = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
subprocess.Popen([sys.executable, "-IS", "-c", helper, ARGV[-1]])
while True:
    print("frame=25\\nout_time_us=1000000\\nprogress=continue", flush=True)
    time.sleep(0.2)
"""


class Stub:
    """A tool with a fault, until it is healed."""

    def __init__(self, folder: Path, tool: Path, fault: str) -> None:
        self.path = folder / f"faulty-{tool.name}"
        self._healed = folder / f"healed-{tool.name}"
        body = "\n".join(f"    {line}" for line in fault.strip().splitlines())
        frame = _FRAME.format(python=sys.executable, tool=str(tool), healed=str(self._healed), fault=body)
        self.path.write_text(frame)
        self.path.chmod(0o755)

    def heal(self) -> None:
        """From now on it is the real tool."""
        self._healed.touch()
