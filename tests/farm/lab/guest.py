"""One host of the lab: a User-Mode Linux guest with a kernel, disks, memory and a cable of its own."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.farm.lab.machine import KERNEL, LabBroken
from tests.farm.lab.network import Network, address
from tests.farm.lab.registers import starter

#: A guest boots in seconds; a machine on which everything happens at once is given minutes.
_BOOT_SECONDS = 180.0
_LOOK_SECONDS = 0.05


class GuestFailed(Exception):
    """A command in a guest failed, or the guest is gone; the message holds what it said."""


@dataclass(frozen=True)
class Answer:
    """What became of a command in a guest."""

    status: int
    out: str
    err: str


class Guest:
    """A host by name. Its disks outlive `kill` and `shut_down`, as a real host's do."""

    def __init__(self, lab: Path, network: Network, name: str, number: int, *, megabytes: int, backing: Path) -> None:
        self.name, self.number, self.address = name, number, address(number)
        self.folder = lab / "hosts" / name
        self._lab, self._network, self._megabytes, self._backing = lab, network, megabytes, backing
        self.tap = f"tap{number}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        return _is_ours(self.pid, self._lab)  # another process of ours booted it

    @property
    def pid(self) -> int:
        """The process that it is on this machine; 0 before its first boot."""
        path = self.folder / "pid"
        return int(path.read_text()) if path.exists() else 0

    @property
    def console(self) -> Path:
        """All that its kernel and init ever said."""
        return self.folder / "console.log"

    def boot(self, *, media_disk: bool = False, writable_backing: bool = False) -> None:
        """Switch it on and wait until it takes commands."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._network.plug(self.tap)
        (self.folder / "boot").write_text(str(time.time_ns()))
        (self.folder / "asked").write_text("0")
        root_disk = str(self._backing) if writable_backing else f"{self.folder / 'root.cow'},{self._backing}"
        disks = [f"ubda={root_disk}"]
        if media_disk:
            disks.append(f"ubdb={self._disk('media.ext4', 4 << 30)}")
        command = [
            *("taskset", "--cpu-list", str(self._core())),
            *starter(self._lab),
            KERNEL,
            f"umid={self.name}",
            f"uml_dir={self._lab / 'sockets'}",
            f"mem={self._megabytes}M",
            *disks,
            "root=/dev/ubda",
            "rw",
            "init=/init",
            f"vec0:transport=tap,ifname={self.tap},depth=128,gro=1",
            "con=null",
            "con0=fd:0,fd:1",
            "con1=pts",
            f"LAB_NAME={self.name}",
            f"LAB_ADDRESS={self.address}",
            f"LAB_FOLDER={self._lab}",
        ]
        with self.console.open("ab") as log:
            self._process = subprocess.Popen(
                self._network.inside(*command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        (self.folder / "pid").write_text(str(self._process.pid))
        self._until_up()

    def spread(self) -> None:
        """Let this machine move it between cores, until it boots again."""
        for process in Path("/proc").glob("[0-9]*"):
            if _is_ours(int(process.name), self._lab, self.name):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    for task in (process / "task").iterdir():
                        os.sched_setaffinity(int(task.name), os.sched_getaffinity(0))

    def _core(self) -> int:
        """The core on which all of it runs: its processes wait for each other all the time, and where each wakes the next one
        up on another core that sleeps, everything takes more than twice as long."""
        cores = sorted(os.sched_getaffinity(0))
        return cores[self.number % len(cores)]

    def run(self, *words: str, seconds: float = 300, check: bool = True) -> Answer:
        """Run a command in the guest, as root.

        Raises:
            GuestFailed: when it fails or does not end in time (unless `check` is off), or when the guest dies meanwhile.
        """
        reply = self._ask({"words": words, "seconds": seconds})
        deadline = time.monotonic() + seconds + 60
        while not reply.exists():
            if not self.alive:
                raise GuestFailed(f"{self.name} died while it ran {words}\n{self.logs()}")
            if time.monotonic() > deadline:
                raise GuestFailed(f"{self.name} does not answer {words}\n{self.logs()}")
            time.sleep(_LOOK_SECONDS)
        answer = Answer(**json.loads(reply.read_text()))
        if check and answer.status != 0:
            raise GuestFailed(
                f"{self.name}: {words} ended with {answer.status}\n{answer.out[-3000:]}{answer.err[-5000:]}"
            )
        return answer

    def sh(self, script: str, *, seconds: float = 300, check: bool = True) -> str:
        """Run a shell script in the guest and return what it printed."""
        return self.run("bash", "-eo", "pipefail", "-c", script, seconds=seconds, check=check).out

    def write(self, path: str, text: str) -> None:
        """Write a small file on it, for all to read."""
        self.run("sh", "-c", 'printf %s "$1" > "$2" && chmod 0644 "$2"', "sh", text, path)

    def kill(self) -> None:
        """Power loss: what was not on its disks is gone."""
        end(self.pid, self._lab)
        if self._process is not None:
            self._process.wait()

    def shut_down(self) -> None:
        """Switch it off in order: file systems are written back, services are not asked."""
        if not self.alive:
            return
        try:
            self.run(
                "sh",
                "-c",
                "sync; (sleep 0.3; echo s > /proc/sysrq-trigger; echo o > /proc/sysrq-trigger) &",
                seconds=60,
            )
            deadline = time.monotonic() + 30
            while self.alive and time.monotonic() < deadline:
                time.sleep(_LOOK_SECONDS)
        except GuestFailed:
            pass  # it would not listen: then the switch
        self.kill()

    def cut_cable(self) -> None:
        self._network.cut(self.tap)

    def join_cable(self) -> None:
        self._network.join(self.tap)

    def shift_clock(self, seconds: int) -> None:
        """Set its clock forward or, with a negative number, back."""
        self.sh(f"date -u -s @$(( $(date +%s) + {seconds} ))")

    def worsen_network(self, *netem: str) -> None:
        """What it sends is delayed, lost or slowed, in the words of tc-netem(8); none heals it."""
        self.run("tc", "qdisc", "del", "dev", "vec0", "root", check=False)
        if netem:
            self.run("tc", "qdisc", "add", "dev", "vec0", "root", "netem", *netem)

    def logs(self, lines: int = 40) -> str:
        """The end of its console and, while it lives, of its services' logs."""
        kept = [f"--- {self.name}: {path.name}\n{_tail(path, lines)}" for path in sorted(self.folder.glob("*.log"))]
        return "\n".join(kept)

    def _ask(self, command: dict[str, object]) -> Path:
        """Put a command into the mailbox; return where its answer will lie."""
        boot = (self.folder / "boot").read_text()
        with (self.folder / "asked").open("r+") as asked:
            fcntl.flock(asked, fcntl.LOCK_EX)  # the tests and a developer's shell may ask at once
            number = int(asked.read()) + 1
            part = self.folder / f"{boot}-{number}.part"
            part.write_text(json.dumps(command))
            part.rename(part.with_suffix(".command"))
            asked.seek(0)
            asked.write(str(number))
        return part.with_suffix(".answer")

    def _until_up(self) -> None:
        sign = self.folder / f"{(self.folder / 'boot').read_text()}.up"
        deadline = time.monotonic() + _BOOT_SECONDS
        while not sign.exists():
            if not self.alive or time.monotonic() > deadline:
                self.kill()
                raise LabBroken(f"{self.name} did not boot.\n{self.logs()}")
            time.sleep(_LOOK_SECONDS)

    def _disk(self, name: str, size: int) -> Path:
        path = self.folder / name
        if not path.exists():
            with path.open("wb") as disk:
                disk.truncate(size)
        return path


def end(pid: int, lab: Path) -> None:
    """Kill the guest with this process id, if it is one of this lab, and wait until all of it is gone.

    Its programs are processes of this machine; where its kernel died by itself, they are still there.
    """
    while any(_is_ours(one, lab) for one in _group(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        time.sleep(_LOOK_SECONDS)


def _group(leader: int) -> list[int]:
    """The processes of the group that this process leads, or led; none for 0."""
    every = (int(process.name) for process in Path("/proc").glob("[0-9]*"))
    return [pid for pid in every if leader and _group_of(pid) == leader]


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def _is_ours(pid: int, lab: Path, name: str | None = None) -> bool:
    """Whether the process belongs to a guest of this lab, or to the one of this name."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return f"LAB_FOLDER={lab}".encode() in words and (name is None or f"umid={name}".encode() in words)


def _tail(path: Path, lines: int) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
