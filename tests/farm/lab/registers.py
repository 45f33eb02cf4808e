"""How a guest's kernel is started on a processor with wider registers than it knows."""

from pathlib import Path

from tests.farm.lab.machine import COMPILER, run

_LIBRARY = "wide_registers.so"
_SOURCE = Path(__file__).parent / "wide_registers.c"
#: The flag of processors whose registers no longer fit into what Debian's kernel for guests sets aside for them.
_WIDE = "amx_tile"


def are_wide() -> bool:
    """Whether this machine's processor has such registers."""
    return _WIDE in Path("/proc/cpuinfo").read_text().split()


def prepare(folder: Path) -> None:
    """Make what `starter` needs in this folder."""
    if are_wide():
        words = (COMPILER, "-shared", "-fPIC", "-O1", "-nostdlib", "-Wall", "-Werror")
        run(*words, "-o", str(folder / _LIBRARY), str(_SOURCE))


def starter(folder: Path) -> tuple[str, ...]:
    """The words before the kernel's command; `prepare` was called for this folder."""
    return ("env", f"LD_PRELOAD={folder / _LIBRARY}") if are_wide() else ()
