"""Media tools that misbehave: small programs in front of the real ones, the same in everything else.

They run inside the sandbox, where a tool reaches the folder of libraries beside its own and little else: what a stub needs,
which is a shell, `sleep` and the tool that it stands for, lies there.
"""

import shutil
from pathlib import Path

_FRAME = """#!{here}/sh
case " $* " in *" -i "*) if ! [ -e '{healed}' ]; then
{fault}
fi ;; esac
exec '{here}/{tool}' "$@"
"""
_BEFORE_INPUT = """
left=$#
while [ $left -gt 0 ]; do
    if [ "$1" = -i ]; then set -- "$@" {words}; fi
    set -- "$@" "$1"
    shift
    left=$((left - 1))
done
"""

#: Reads nothing and says nothing.
HANGING = "{here}/sleep 600; :"
#: Reads its input at a fifth of its speed.
SLOW = _BEFORE_INPUT.replace("{words}", "-readrate 0.2")
#: Reads its input as fast as it plays.
LIVE = _BEFORE_INPUT.replace("{words}", "-readrate 1")
#: Reads but the first second of its input, and is content.
SHORT = _BEFORE_INPUT.replace("{words}", "-t 1")
#: Says that it works, and does not; a helper of it takes no request to stop.
STALLED = """
(trap '' TERM; {here}/sleep 600; :) &
while :; do
    printf 'frame=25\\nout_time_us=1000000\\nprogress=continue\\n'
    {here}/sleep 0.2
done
"""


class Stub:
    """A tool with a fault, until it is healed. `real` is the tool that it becomes when its fault leaves that much of it."""

    def __init__(self, folder: Path, tool: Path, fault: str) -> None:
        here = folder / f"for-{tool.name}" / "lib"
        here.mkdir(parents=True)
        self.path = here.parent / "bin" / f"faulty-{tool.name}"
        self.path.parent.mkdir()
        self.real = here / tool.name
        self._healed = folder / f"healed-{tool.name}"
        for name, program in (("sh", Path("/bin/sh")), ("sleep", Path("/bin/sleep")), (tool.name, tool)):
            shutil.copy(program.resolve(), here / name)
        body = fault.replace("{here}", str(here))
        self.path.write_text(_FRAME.format(here=here, tool=tool.name, healed=self._healed, fault=body))
        self.path.chmod(0o755)

    def heal(self) -> None:
        """From now on it is the real tool."""
        self._healed.touch()
