"""The only place that starts child processes: confined, watched, and gone without a trace when it returns.

A child dies with the thread that started it (PR_SET_PDEATHSIG is per thread), so start children from threads that live
as long as the work does: a worker's task thread, never a short-lived pool.
"""

import contextlib
import os
import resource
import selectors
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from omkt_pipeline.domain.errors import Stopped, ToolError
from omkt_pipeline.media import confine

log = structlog.get_logger(__name__)

_TICK_SECONDS = 0.1
_STDERR_BYTES = 64 * 1024
_LINE_BYTES = 64 * 1024
_ENVIRONMENT: Mapping[str, str] = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "AV_LOG_FORCE_NOCOLOR": "1"}


@dataclass(frozen=True, kw_only=True)
class ProcessLimits:
    """What one child may take. None: as the machine allows."""

    wall_seconds: float
    stall_seconds: float | None = None  #: without a line that shows progress
    cpu_seconds: int | None = None
    memory_bytes: int | None = None  #: address space
    file_bytes: int | None = None  #: of the largest file written
    open_files: int = 512
    stdout_bytes: int = 16 * 1024 * 1024
    grace_seconds: float = 5.0  #: between SIGTERM and SIGKILL


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What one child may touch, beside itself, the system's libraries and facts about the machine. It never has a network."""

    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()  #: folders, to work in


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A child that ended well."""

    stdout: bytes
    stderr_tail: str
    cpu_seconds: float
    peak_rss: int  #: bytes


class ToolKilled(ToolError):
    """A media tool was ended by a signal."""

    code = "tool_killed"

    def __init__(self, message: str, *, by: signal.Signals, log_tail: str) -> None:
        self.by = by
        super().__init__(message, log_tail=log_tail)


class ToolExited(ToolError):
    """A media tool ended with an error of its own; `status` is its exit status."""

    code = "tool_failed"

    def __init__(self, message: str, *, status: int, log_tail: str) -> None:
        self.status = status
        super().__init__(message, log_tail=log_tail)


def run(
    argv: Sequence[str],
    *,
    limits: ProcessLimits,
    reach: Reach | None = None,
    stop: threading.Event | None = None,
    on_line: Callable[[str], bool] | None = None,
    cwd: Path | None = None,
) -> Finished:
    """Run a media tool to its end.

    `reach` shuts it into the sandbox that the kernel offers (docs/operations.md); None: nothing foreign is read.

    `on_line` gets every line of stdout, which is then not kept, and says whether it shows progress. Raises ToolExited
    for an exit status, ToolError (tool_killed, tool_stalled, tool_timeout, tool_noisy) and Stopped when `stop` was set.
    When it returns or raises, no process of the child's group is alive.
    """
    log.debug("running", event_code="tool_started", line=shlex.join(argv))
    launcher = [
        sys.executable, "-I", "-S", confine.__file__, str(os.getpid()), _words(limits), *_reach_words(reach), "--", *argv
    ]  # fmt: skip
    child = subprocess.Popen(
        launcher,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(_ENVIRONMENT),
        cwd=cwd,
        start_new_session=True,
    )
    watch = _Watch(child, argv[0], limits, stop, on_line)
    try:
        watch.until_output_ends()
        watch.until_exit()
    except BaseException:
        _end_group(child.pid, limits.grace_seconds)
        raise
    finally:
        watch.close()
        usage = _reap(child)
    watch.check(child.returncode)
    return Finished(
        stdout=bytes(watch.stdout),
        stderr_tail=watch.tail,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_rss=usage.ru_maxrss * 1024,
    )


class _Watch:
    """Reads a child's output and decides when it has had enough."""

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        tool: str,
        limits: ProcessLimits,
        stop: threading.Event | None,
        on_line: Callable[[str], bool] | None,
    ) -> None:
        self.child, self.tool, self.limits, self.stop, self.on_line = child, Path(tool).name, limits, stop, on_line
        self.stdout, self._line, self._stderr = bytearray(), bytearray(), bytearray()
        self.started = self.moved = time.monotonic()

    @property
    def tail(self) -> str:
        return self._stderr.decode(errors="replace")

    def until_output_ends(self) -> None:
        """Read until the child closed both pipes or is gone; raise as soon as a limit is reached."""
        assert self.child.stdout is not None  # noqa: S101 - we asked for the pipes
        assert self.child.stderr is not None  # noqa: S101
        with selectors.DefaultSelector() as selector:
            selector.register(self.child.stdout, selectors.EVENT_READ, self._take_stdout)
            selector.register(self.child.stderr, selectors.EVENT_READ, self._take_stderr)
            while selector.get_map():
                for key, _ in selector.select(_TICK_SECONDS):
                    block = os.read(key.fd, 1 << 16)
                    if block:
                        key.data(block)
                    else:
                        selector.unregister(key.fileobj)
                self._check_patience()
                # In this order: what a child wrote just before its end is in the pipe once it is gone, and not sooner.
                if _has_exited(self.child.pid) and not selector.select(0):
                    return  # a grandchild may hold the pipes open; it ends with the group

    def until_exit(self) -> None:
        """Wait for the end of a child that closed its output first."""
        while not _has_exited(self.child.pid):
            self._check_patience()
            if self.stop is not None:
                self.stop.wait(_TICK_SECONDS / 10)
            else:
                time.sleep(_TICK_SECONDS / 10)

    def check(self, status: int) -> None:
        """Raise what an exit status means."""
        if status > 0:
            last = (self.tail.strip().splitlines() or ["no message"])[-1]
            raise ToolExited(
                f"{self.tool} exited with status {status}: {last[:300]}", status=status, log_tail=self.tail
            )
        if status < 0:
            by = signal.Signals(-status)
            raise ToolKilled(f"{self.tool} was ended by {by.name}.", by=by, log_tail=self.tail)

    def close(self) -> None:
        for pipe in (self.child.stdout, self.child.stderr):
            if pipe is not None:
                pipe.close()

    def _take_stderr(self, block: bytes) -> None:
        self._stderr += block
        del self._stderr[:-_STDERR_BYTES]

    def _take_stdout(self, block: bytes) -> None:
        if self.on_line is None:
            self.stdout += block
            if len(self.stdout) > self.limits.stdout_bytes:
                raise ToolError(f"{self.tool} printed more than expected.", code="tool_noisy", log_tail=self.tail)
            return
        self._line += block
        *lines, rest = self._line.split(b"\n")
        self._line = rest[-_LINE_BYTES:]
        for line in lines:
            if self.on_line(line.decode(errors="replace")):
                self.moved = time.monotonic()

    def _check_patience(self) -> None:
        if self.stop is not None and self.stop.is_set():
            raise Stopped
        now = time.monotonic()
        if now - self.started > self.limits.wall_seconds:
            raise ToolError(
                f"{self.tool} did not end within {self.limits.wall_seconds:.0f} s.",
                code="tool_timeout",
                log_tail=self.tail,
            )
        if self.limits.stall_seconds is not None and now - self.moved > self.limits.stall_seconds:
            raise ToolError(
                f"{self.tool} made no progress for {self.limits.stall_seconds:.0f} s.",
                code="tool_stalled",
                log_tail=self.tail,
            )


def _words(limits: ProcessLimits) -> str:
    amounts = {
        "as": limits.memory_bytes,
        "fsize": limits.file_bytes,
        "cpu": limits.cpu_seconds,
        "nofile": limits.open_files,
        "core": 0,
    }
    return ",".join(f"{name}={amount}" for name, amount in amounts.items() if amount is not None)


def _reach_words(reach: Reach | None) -> list[str]:
    if reach is None:
        return []
    reads = [f"read={path}" for path in reach.reads]
    return ["sandbox", *reads, *(f"write={path}" for path in reach.writes)]


def _has_exited(pid: int) -> bool:
    """Whether the child is a zombie. It stays one until reaped, which keeps its group's number ours."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end_group(group: int, grace_seconds: float) -> None:
    """Ask all processes of the group to end; do not ask for long."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while not _has_exited(group) and time.monotonic() < deadline:
        time.sleep(_TICK_SECONDS / 5)


def _reap(child: subprocess.Popen[bytes]) -> resource.struct_rusage:
    """Kill what is left of the group, collect the child, and wait until nobody of the group is left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    deadline = time.monotonic() + 5.0
    while _group_exists(child.pid) and time.monotonic() < deadline:
        time.sleep(_TICK_SECONDS / 10)
    return usage


def _group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
