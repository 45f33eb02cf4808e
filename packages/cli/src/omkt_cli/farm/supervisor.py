"""Keeps the services running: starts them, starts again what dies, stops all of them."""

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from omkt_cli.farm.journal import last_words, trim
from omkt_cli.farm.services import Service, tied
from omkt_cli.faults import Fault

_TICK_SECONDS = 0.1
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 15.0
#: Who ran so long was not refused at its start: the next pause is short again.
_STEADY_SECONDS = 30.0
#: Deaths in a row, before the farm was ready, that are no accident.
_REFUSALS = 2
#: Beyond the grace that the daemons give their tasks.
_STOP_SECONDS = 7.0
_API_STOP_SECONDS = 2.0


@dataclass
class _Child:
    service: Service
    process: "subprocess.Popen[bytes] | None" = None
    began: float = 0.0
    deaths: int = 0  #: in a row
    due: float = 0.0  #: when to start (again), by the monotonic clock


class Supervisor:
    """Owns the processes. They are started by one thread that lives as long as they do: a parent-death signal is sent
    when the thread ends that started the process."""

    def __init__(self, services: Iterable[Service], *, grace_seconds: float) -> None:
        self._children = [_Child(service) for service in services]
        self._grace_seconds = grace_seconds
        self._stopping = threading.Event()
        self._hurry = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor")
        #: Sentences about what happened to the processes.
        self.news: queue.SimpleQueue[str] = queue.SimpleQueue()

    def start(self) -> None:
        """Start all processes."""
        for child in self._children:
            _forget(child.service)
        self._thread.start()

    def is_running(self) -> bool:
        """Whether the processes are being looked after."""
        return self._thread.is_alive()

    def refused(self) -> Fault | None:
        """Why the farm cannot run, when one of its services keeps dying at its start."""
        for child in self._children:
            if child.deaths >= _REFUSALS:
                name, log = child.service.name, child.service.log
                return Fault(f"The {name} service does not start: {last_words(log)} (all of it: {log})")
        return None

    def all_alive(self) -> bool:
        """Whether every daemon's loops turn. The API is asked over HTTP instead."""
        return all(child.service.alive is None or child.service.alive.exists() for child in self._children)

    def stop(self) -> None:
        """Stop all processes and wait for their end. Interrupted (Ctrl-C) it kills them instead of waiting."""
        self._stopping.set()
        while self._thread.is_alive():
            try:
                self._thread.join()
            except KeyboardInterrupt:
                self._hurry.set()

    def pids(self) -> dict[str, int]:
        """The running processes by service."""
        return {child.service.name: child.process.pid for child in self._children if child.process is not None}

    def _watch(self) -> None:
        try:
            while not self._stopping.is_set():
                for child in self._children:
                    self._tend(child)
                self._stopping.wait(_TICK_SECONDS)
        finally:
            self._stop_all()

    def _tend(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.due:
                self._spawn(child)
            return
        status = child.process.poll()
        if status is None:
            return
        child.process = None
        child.deaths = 1 if now - child.began > _STEADY_SECONDS else child.deaths + 1
        pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** (child.deaths - 1))
        child.due = now + pause
        self.news.put(f"{child.service.name} {ended(status)}; starting it again in {pause:.1f} s")

    def _spawn(self, child: _Child) -> None:
        service = child.service
        _forget(service)
        try:
            trim(service.log)
            with service.log.open("ab") as log:
                child.process = subprocess.Popen(
                    tied(service.argv),
                    env=service.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    # The terminal's Ctrl-C is for the supervisor, which then stops them in order.
                    start_new_session=True,
                )
        except OSError as error:
            child.deaths += 1
            child.due = time.monotonic() + _LONGEST_PAUSE_SECONDS
            self.news.put(f"{service.name} cannot be started: {error.strerror}")
        child.began = time.monotonic()

    def _stop_all(self) -> None:
        """First who brings work in, then who does it."""
        first, rest = self._children[:1], self._children[1:]
        self._end(first, _API_STOP_SECONDS)
        self._end(rest, self._grace_seconds + _STOP_SECONDS)

    def _end(self, children: list[_Child], patience_seconds: float) -> None:
        processes = [child.process for child in children if child.process is not None]
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + patience_seconds
        while any(process.poll() is None for process in processes):
            if time.monotonic() > deadline or self._hurry.is_set():
                break
            time.sleep(_TICK_SECONDS / 2)
        for process in processes:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _forget(service: Service) -> None:
    """A sign of life from before says nothing about the process to come."""
    if service.alive is not None:
        service.alive.unlink(missing_ok=True)


def ended(status: int) -> str:
    """How a process ended, in words."""
    if status < 0:
        return f"was killed ({signal.Signals(-status).name})"
    return f"ended (exit code {status})"
