"""A farm whose daemons are real processes: started, killed and stopped at will, with short leases."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil
from tests.faults.processes.history import History

from omkt_metadata.plan import Plan
from omkt_metadata.probe import Probe
from omkt_pipeline import presets
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.job import JobRequest, JobView, Source, SourceKind
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.task import AttemptOutcome, Pool, TaskKind, TaskView
from omkt_pipeline.media.tools import Tools
from omkt_pipeline.queue.farm import found_farm
from omkt_pipeline.queue.inputs import Inputs
from omkt_pipeline.queue.jobs import submit
from omkt_pipeline.queue.overview import job_by_key, tasks_of
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.queue.sources import NewMedia
from omkt_pipeline.queue.workers import WorkerView, workers
from omkt_pipeline.storage.share import Share
from omkt_pipeline.testing import an_account, taken
from omkt_pipeline.worker import TaskContext

T = TypeVar("T")

METADATA = ("-m", "omkt_metadata")
TRANSCODER = ("-m", "omkt_transcoder")
LEASE_SECONDS = 3.0
#: A daemon starts, a lease runs out, the work is done again: all of it on a busy machine.
PATIENCE_SECONDS = 60.0

_SHORT = {
    "OMKT_LEASE_SECONDS": str(LEASE_SECONDS),
    "OMKT_BEAT_SECONDS": "0.5",
    "OMKT_POLL_SECONDS": "0.2",
    "OMKT_BACKOFF_SECONDS": "0.5",
    "OMKT_SHARE_FREE_FLOOR": "1000",
    "OMKT_SCRATCH_FREE_FLOOR": "1000",
}


class Daemon:
    """One process of the farm."""

    def __init__(self, words: tuple[str, ...], environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, *words], env=environment, stdin=subprocess.DEVNULL, stderr=stream
            )

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def said(self, event_code: str) -> list[dict[str, Any]]:
        """The lines of its log with this event code, once they are whole."""
        whole = [line for line in self.log.splitlines(keepends=True) if line.startswith("{") and line.endswith("\n")]
        return [entry for entry in map(json.loads, whole) if entry.get("event_code") == event_code]

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def ask_to_stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def status(self) -> int:
        """How it ended, which it must soon."""
        return self.process.wait(PATIENCE_SECONDS)

    def stop(self) -> None:
        """Stop it as an operator would; it must end well."""
        self.ask_to_stop()
        assert self.status() == 0, self.log


class Farm:
    """A share, a database, and daemons that come and go. All of them share one scratch folder."""

    def __init__(self, root: Path, database: Database, tools: Tools) -> None:
        self.root, self.database, self.tools = root, database, tools
        self.scratch = root / "scratch"
        self.share = Share.create(root / "share", farm_id=found_farm(database).id)
        self.account = an_account(database)
        self.history = History(database, self.share)
        self.daemons: list[Daemon] = []
        self.job_keys: list[str] = []

    def start(self, *words: str, **settings: object) -> Daemon:
        """Start a daemon; further settings by their name in the environment, in small letters and without the prefix."""
        number = len(self.daemons)
        environment = os.environ | _SHORT
        environment |= {
            "OMKT_DATABASE_URL": self.database.url.render_as_string(hide_password=False),
            "OMKT_SHARE_ROOT": str(self.share.root),
            "OMKT_SCRATCH_ROOT": str(self.scratch),
            "OMKT_HOST_NAME": f"host-{number}",
            "OMKT_LIVENESS_FILE": str(self.root / f"alive-{number}"),
            "OMKT_FFMPEG": str(self.tools.ffmpeg),
            "OMKT_FFPROBE": str(self.tools.ffprobe),
        }
        environment |= {f"OMKT_{name.upper()}": str(value) for name, value in settings.items()}
        daemon = Daemon(words, environment, self.root / f"daemon-{number}.log")
        self.daemons.append(daemon)
        return daemon

    def submit(self, clip: Path, preset: str) -> str:
        """Put a clip on the share and ask for one output of it; return the job's key."""
        path = self.share.root / "incoming" / clip.name
        shutil.copy(clip, path)
        request = JobRequest(source=Source(kind=SourceKind.PATH, value=clip.name), presets=(preset,))
        media = NewMedia(path=f"incoming/{clip.name}", bytes=path.stat().st_size)
        self.job_keys.append(submit(self.database, self.account, request, media).job_key)
        return self.job_keys[-1]

    def submit_planned(self, clip: Path, preset: str) -> str:
        """Submit, and probe and plan right here: for tests of what comes after."""
        key = self.submit(clip, preset)
        inputs = Inputs(self.database)
        handlers = (
            Probe(tools=self.tools, limits=Limits(), media_of=inputs.media_of),
            Plan(presets=presets.shipped(), media_of=inputs.media_of, presets_of=inputs.presets_of),
        )
        for handler in handlers:
            task = taken(self.database, Pool.METADATA)
            context = TaskContext(
                task=task, share=self.share, scratch=self.root, threads=1, stop=threading.Event(), report=_say_nothing
            )
            settle(self.database, task, handler(context))
        return key

    def job(self, key: str) -> JobView:
        return job_by_key(self.database, self.account, key)

    def task(self, key: str, kind: TaskKind) -> TaskView:
        """The only task of this kind of a job."""
        (found,) = [task for task in tasks_of(self.database, self.account, key) if task.kind is kind]
        return found

    def outcomes(self, key: str, kind: TaskKind) -> list[AttemptOutcome | None]:
        """How the attempts at the only task of this kind ended."""
        return [attempt.outcome for attempt in self.task(key, kind).history]

    def until(self, what: str, condition: Callable[[], T], *, within: float = PATIENCE_SECONDS) -> T:
        """Wait for a condition and return what it found. What anybody could see meanwhile is looked at all the time."""
        deadline = time.monotonic() + within
        while True:
            found = condition()
            self.history.look()
            if found:
                return found
            if time.monotonic() > deadline:
                logs = "\n".join(f"--- daemon {n}\n{daemon.log[-4000:]}" for n, daemon in enumerate(self.daemons))
                raise AssertionError(f"not within {within:.0f} s: {what}\n{logs}")
            time.sleep(0.03)

    def until_ended(self, key: str) -> JobView:
        """Wait for the end of a job and return it."""
        return self.until(f"job {key} ends", lambda: self.job(key) if self.job(key).state.is_final else None)

    def worker(self) -> WorkerView | None:
        """The newest worker that is not gone."""
        return max(workers(self.database), key=lambda one: one.id, default=None)

    def children(self, program: Path | None = None) -> list[psutil.Process]:
        """Processes that work on this farm's files: media tools, whoever their parent is; or those of one program."""
        daemons = {daemon.process.pid for daemon in self.daemons} | {os.getpid()}
        return [
            process
            for process in psutil.process_iter()
            if process.pid not in daemons and self._is_ours(process, program)
        ]

    def _is_ours(self, process: psutil.Process, program: Path | None) -> bool:
        try:
            words = process.cmdline()
        except psutil.Error:
            return False
        works_here = any(f"{self.root}/s" in word for word in words)  # share or scratch
        # A script stands behind its interpreter; a launcher that only names the program stands further back.
        return works_here and (program is None or str(program) in words[:3])

    def close(self) -> None:
        for daemon in self.daemons:
            daemon.kill()
        for child in self.children():
            child.kill()


def _say_nothing(_: float) -> None:
    pass
