"""A tool in the sandbox reaches its own files and nothing else: tried from inside, by an interpreter in the tool's place."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omkt_pipeline.media import confine
from omkt_pipeline.media.process import ProcessLimits, Reach, run
from omkt_pipeline.media.sandbox import Layers, checked
from omkt_pipeline.media.tools import Tools

LIMITS = ProcessLimits(wall_seconds=30)
TRY = """
import os, socket, sys, subprocess
def tried(what):
    try:
        what()
        return "done"
    except OSError as error:
        return type(error).__name__
"""


@pytest.fixture(scope="module", autouse=True)
def layers() -> Layers:
    """These tests are about a kernel that has both layers, as every supported one does."""
    return checked(required=True)


@pytest.fixture
def job(tmp_path: Path) -> Path:
    for name in ("mine", "theirs"):
        (tmp_path / name).write_text(name)
    (tmp_path / "work").mkdir()
    return tmp_path


def inside(job: Path, *attempts: str) -> list[str]:
    """How each attempt of a process ends that may read `mine` and work in `work`."""
    # The interpreter's own home, which a real tool has no need of.
    reads = (job / "mine", Path(sys.base_prefix) / "lib", Path(sys.base_prefix) / "bin")
    code = TRY + "".join(f"print(tried(lambda: {attempt}))\n" for attempt in attempts)
    argv = [str(Path(sys.executable).resolve()), "-I", "-S", "-c", code]
    reach = Reach(reads=reads, writes=(job / "work",))
    return run(argv, limits=LIMITS, reach=reach, cwd=job).stdout.decode().split()


def test_its_input_is_read_and_a_neighbours_is_not(job: Path) -> None:
    assert inside(job, "open('mine').read()", "open('theirs').read()", "open('/etc/passwd').read()") == [
        "done", "PermissionError", "PermissionError",
    ]  # fmt: skip


def test_the_folder_of_the_job_is_worked_in_and_no_other(job: Path) -> None:
    tries = (
        "open('work/new', 'w').write('x')", "os.rename('work/new', 'work/made')", "os.mkdir('work/folder')",
        "os.unlink('work/made')", "open('mine', 'w')", "open('beside', 'w')", "os.unlink('theirs')", "os.truncate('theirs', 0)",
        "os.chmod('mine', 0o777)", "os.symlink('/etc/passwd', 'work/link')", "os.rename('mine', 'work/mine')",
    )  # fmt: skip

    found = inside(job, *tries)

    assert found[:4] == ["done"] * 4
    assert "done" not in found[4:]
    assert (job / "mine").read_text() + (job / "theirs").read_text() == "minetheirs"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


def test_there_is_no_network_not_even_a_socket(job: Path, listener: socket.socket) -> None:
    address = listener.getsockname()
    tries = (
        f"socket.create_connection({address!r})", "socket.socket(socket.AF_UNIX)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "socket.getaddrinfo('localhost', 80, type=socket.SOCK_STREAM)",
    )  # fmt: skip

    assert "done" not in inside(job, *tries)[:3]
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_other_processes_and_programs_are_out_of_reach(job: Path) -> None:
    tries = ("os.kill(os.getppid(), 0)", "subprocess.run(['/usr/bin/env'])", "os.kill(os.getpid(), 0)")

    assert inside(job, *tries) == ["PermissionError", "PermissionError", "done"]


def test_the_real_tools_run_with_nothing_but_themselves(each_build: Tools) -> None:
    for tool in (each_build.ffmpeg, each_build.ffprobe):
        assert b"version" in run([str(tool), "-version"], limits=LIMITS, reach=Reach()).stdout


def test_a_kernel_without_either_layer_is_asked_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confine, "_MACHINES", {})

    assert not confine.filters_calls()
