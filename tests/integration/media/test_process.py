"""Children are confined, watched and gone: with the real interpreter as the tool."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from omkt_pipeline.domain.errors import Stopped, ToolError
from omkt_pipeline.media.process import ProcessLimits, ToolExited, run

ROOMY = ProcessLimits(wall_seconds=60)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_child_that_ends_well_is_measured() -> None:
    finished = run(python("print('made', end=''); sum(range(10**6))"), limits=ROOMY)

    assert finished.stdout == b"made"
    assert finished.cpu_seconds > 0
    assert finished.peak_rss > 1_000_000


def test_an_exit_status_is_an_error_with_the_last_words() -> None:
    with pytest.raises(ToolExited) as failure:
        run(python("import sys; print('what went wrong', file=sys.stderr); sys.exit(3)"), limits=ROOMY)

    assert failure.value.status == 3
    assert "what went wrong" in (failure.value.log_tail or "")


def test_endless_complaints_do_not_fill_the_memory() -> None:
    finished = run(python("import sys; sys.stderr.write('x' * 5_000_000 + 'end')"), limits=ROOMY)

    assert len(finished.stderr_tail) <= 64 * 1024
    assert finished.stderr_tail.endswith("end")


def test_a_child_knows_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMKT_SECRET", "hush")

    finished = run(python("import os; print(sorted(os.environ), os.getsid(0) == os.getpid())"), limits=ROOMY)

    assert b"OMKT_SECRET" not in finished.stdout
    assert finished.stdout.strip().endswith(b"True")


def test_limits_hold_in_the_child() -> None:
    limits = ProcessLimits(wall_seconds=60, memory_bytes=1 << 30, file_bytes=1000, cpu_seconds=7)
    code = "import resource as r; print([r.getrlimit(k)[0] for k in (r.RLIMIT_AS, r.RLIMIT_FSIZE, r.RLIMIT_CPU, r.RLIMIT_CORE)])"

    assert run(python(code), limits=limits).stdout.strip() == b"[1073741824, 1000, 7, 0]"


def test_no_new_privileges_and_no_survival_of_the_parent() -> None:
    code = (
        "import ctypes; signal, libc = ctypes.c_int(), ctypes.CDLL(None); libc.prctl(2, ctypes.byref(signal));"
        "print(signal.value, libc.prctl(39, 0, 0, 0, 0))"
    )

    assert run(python(code), limits=ROOMY).stdout.split() == [b"9", b"1"]


def test_printing_is_not_progress() -> None:
    chatter = python("import time\nwhile True: print('still here', flush=True); time.sleep(0.01)")

    with pytest.raises(ToolError) as failure:
        run(chatter, limits=ProcessLimits(wall_seconds=60, stall_seconds=0.5), on_line=lambda _: False)

    assert failure.value.code == "tool_stalled"


def test_a_child_that_takes_too_long_is_ended() -> None:
    with pytest.raises(ToolError) as failure:
        run(python("import time; time.sleep(600)"), limits=ProcessLimits(wall_seconds=0.5))

    assert failure.value.code == "tool_timeout"


def test_a_child_that_was_killed_may_be_tried_again() -> None:
    with pytest.raises(ToolError) as failure:
        run(python("import os; os.kill(os.getpid(), 9)"), limits=ROOMY)

    assert (failure.value.code, failure.value.retryable) == ("tool_killed", True)


def test_stop_ends_grandchildren_too_even_those_that_do_not_listen() -> None:
    stop = threading.Event()
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    code = (
        "import subprocess, sys, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"p = subprocess.Popen([sys.executable, '-c', {deaf!r}]); print(p.pid, flush=True); p.wait()"
    )
    pids: list[int] = []

    def on_line(line: str) -> bool:
        pids.append(int(line))
        stop.set()
        return True

    with pytest.raises(Stopped):
        run(python(code), limits=ProcessLimits(wall_seconds=60, grace_seconds=0.3), stop=stop, on_line=on_line)

    assert not alive(pids[0])


def test_a_grandchild_left_behind_does_not_outlive_the_run() -> None:
    code = (
        "import subprocess, sys;"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); print(p.pid, flush=True)"
    )

    left = int(run(python(code), limits=ROOMY).stdout)

    assert not alive(left)


def test_a_child_dies_with_its_parent() -> None:
    code = (
        "import sys; from omkt_pipeline.media.process import run, ProcessLimits;"
        "run([sys.executable, '-c', 'import os, time; print(os.getpid(), flush=True); time.sleep(600)'],"
        "limits=ProcessLimits(wall_seconds=60), on_line=lambda line: bool(print(line, flush=True)))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(next(line for line in parent.stdout if line.strip().isdigit()))
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()

    deadline = time.monotonic() + 10
    while alive(child) and time.monotonic() < deadline:
        os.sched_yield()
    assert not alive(child)
