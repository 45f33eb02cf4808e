"""The heart: beats for every attempt, and a watchdog that stops what could not beat before its lease ends."""

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import LeaseLost, OmktError, Unavailable
from omkt_pipeline.queue.beat import beat
from omkt_pipeline.worker.attempt import Attempt, StopReason

log = structlog.get_logger(__name__)

#: A worker that could not beat stops its tasks after this part of the lease: before anybody else may start them.
SELF_KILL_FRACTION = 0.75
_WATCH_SECONDS = 0.5


class Attempts:
    """The attempts that run now; shared by the loop, the heart and the slots."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[bytes, Attempt] = {}

    def add(self, attempt: Attempt) -> None:
        with self._lock:
            self._running[attempt.task.token] = attempt

    def remove(self, attempt: Attempt) -> None:
        with self._lock:
            self._running.pop(attempt.task.token, None)

    def all(self) -> list[Attempt]:
        with self._lock:
            return list(self._running.values())

    def __len__(self) -> int:
        return len(self._running)


class Heart:
    """Three threads: one talks to the database and may hang with it, one touches the share and may hang with that, and one
    only looks at the clock.

    A host that has lost the share alone could beat for ever and finish nothing: so it does not beat for what it cannot
    finish, once the share has not answered for as long as a lease. `touch_share` may raise OmktError or OSError: an answer
    too.
    """

    def __init__(
        self,
        database: Database,
        attempts: Attempts,
        *,
        lease_seconds: float,
        beat_seconds: float,
        liveness_file: Path,
        touch_share: Callable[[], object] = lambda: None,
    ) -> None:
        self._database = database
        self._attempts = attempts
        self._lease_seconds = lease_seconds
        self._beat_seconds = beat_seconds
        self._liveness_file = liveness_file
        self._touch_share = touch_share
        self._share_answered_at = time.monotonic()
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._beat_on, name="beats", daemon=True),
            threading.Thread(target=self._watch, name="watchdog", daemon=True),
        ]
        self._toucher = threading.Thread(target=self._touch_on, name="share", daemon=True)

    def start(self) -> None:
        for thread in (*self._threads, self._toucher):
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def _touch_on(self) -> None:
        while not self._stopped.wait(self._beat_seconds):
            with contextlib.suppress(OmktError, OSError):
                self._touch_share()
            self._share_answered_at = time.monotonic()

    def _beat_on(self) -> None:
        told = False
        while not self._stopped.wait(self._beat_seconds):
            silent = time.monotonic() - self._share_answered_at
            if silent > self._lease_seconds:
                if self._attempts.all() and not told:
                    log.error("the share does not answer; giving up", event_code="share_hangs", seconds=round(silent))
                    told = True
                continue
            told = False
            for attempt in self._attempts.all():
                self.beat_once(attempt)

    def beat_once(self, attempt: Attempt) -> None:
        """Renew one lease; obey what comes back."""
        # The lease is counted from before the question: the answer may have been long on its way.
        asked_at = time.monotonic()
        try:
            orders = beat(self._database, attempt.task, lease_seconds=self._lease_seconds, progress=attempt.progress)
        except LeaseLost:
            attempt.end(StopReason.LEASE_LOST)
        except Unavailable as error:
            log.warning("a beat failed", event_code="beat_failed", task=attempt.task.id, reason=error.message)
        except Exception:  # the thread must go on: without beats every task of this worker is lost
            log.exception("a beat broke", event_code="beat_broke", task=attempt.task.id)
        else:
            attempt.held_at = asked_at
            if orders.cancel:
                attempt.end(StopReason.CANCELLED)

    def _watch(self) -> None:
        while not self._stopped.wait(min(_WATCH_SECONDS, self._lease_seconds / 20)):
            with contextlib.suppress(OSError):  # then the health check tells; the watch must go on
                self._liveness_file.touch()
            now = time.monotonic()
            for attempt in self._attempts.all():
                silent = now - attempt.held_at
                if silent > self._lease_seconds * SELF_KILL_FRACTION and attempt.reason is not StopReason.LEASE_LOST:
                    log.error("no beat got through; stopping", event_code="self_stop", task=attempt.task.id)
                    attempt.end(StopReason.LEASE_LOST)
