"""The loop: poll while idle, claim while there is room, run chores, stop in two stages."""

import _thread
import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
import structlog

from omkt_pipeline import metrics
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import OmktError, Unavailable
from omkt_pipeline.domain.task import AttemptOutcome, Pool, Task, TaskKind
from omkt_pipeline.queue.claim import Claimant, claim, has_ready, ready_count
from omkt_pipeline.queue.workers import ASIDE, DRAINING, GONE, UP, Orders, has_near_peer, idle_peers, register, sign
from omkt_pipeline.storage.share import Share
from omkt_pipeline.worker.attempt import Attempt, StopReason, Surroundings, run
from omkt_pipeline.worker.confidence import Confidence
from omkt_pipeline.worker.context import Handler
from omkt_pipeline.worker.heart import Attempts, Heart
from omkt_pipeline.worker.scratch import own_folder
from omkt_pipeline.worker.speed import Speed

log = structlog.get_logger(__name__)

#: A poll soon after work, then ever rarer: with the last interval a new task waits 0.4 s on average.
_FIRST_POLL_SECONDS = 0.05
_SIGN_SECONDS = 10.0
_PAUSE_SECONDS = 2.0
#: A task that costs this part of another one takes cores from it for long enough to count.
_RIVAL_PART = 0.3
#: So many idle workers look as often as a few need to: with more, each of them looks rarer, up to so many times.
_CROWD = 8
_RAREST = 6.0
#: How long a worker that yields leaves a task to others: they get through a burst, and a backlog is shared.
_YIELD_SECONDS = 20.0
#: Signing brings an operator's orders, and silence gets a worker buried: that waits less long.
_SIGN_RAREST = 2.0


@dataclass(frozen=True, kw_only=True)
class Chore:
    """Something a daemon does beside its tasks, every so often. It may raise Unavailable; the next time counts."""

    name: str
    every_seconds: float
    run: Callable[[], object]
    #: How many times rarer each may do it among many idle workers; more than 1 where one does it for the whole farm.
    rarest: float = 1.0


@dataclass(frozen=True, kw_only=True)
class WorkerConfig:
    """How one daemon works. Times in seconds."""

    host: str
    version: str
    slots: int
    threads: int
    scratch_root: Path
    scratch_free_floor: int
    lease_seconds: float
    beat_seconds: float
    grace_seconds: float
    backoff_seconds: float
    liveness_file: Path
    idle_poll_seconds: float = 0.8
    #: Tasks of vanished workers that are taken beyond the slots, so that on a busy farm they go on at once.
    rescue_slots: int = 1
    facts: Mapping[str, Any] = field(default_factory=dict)
    #: Says why nothing may be claimed from outside this process, or None. May raise Unavailable.
    gate: Callable[[], str | None] = lambda: None
    identity: str = ""  #: the machine's, which tells it from another of the same name
    #: Leave what has just become ready to workers on the host whose disk the share is, while there are any.
    yields: bool = False


class Worker:
    """One daemon process: a pool, a handler for each kind of task, and slots."""

    def __init__(
        self,
        *,
        database: Database,
        share: Share,
        pool: Pool,
        handlers: Mapping[TaskKind, Handler],
        config: WorkerConfig,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._database = database
        self._share = share
        self._pool = pool
        self._handlers = handlers
        self._config = config
        self._chores = chores
        self._attempts = Attempts()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._confidence = Confidence()
        self._shown: tuple[str, str | None] = (UP, None)
        self._orders = Orders(drain=False, ousted=False)
        self._speed = Speed()
        self._patience = 0.0
        #: How many times rarer than alone this worker looks around, because others of its pool look too.
        self._rarer = 1.0
        self._signals = 0

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; then finish or give back what is held. A second signal gives back at once."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        with own_folder(self._config.scratch_root) as scratch:
            self._run(scratch)

    def _run(self, scratch: Path) -> None:
        around = Surroundings(
            database=self._database,
            share=self._share,
            scratch=scratch,
            host=self._config.host,
            backoff_seconds=self._config.backoff_seconds,
        )
        worker_id = self._register()
        claimant = Claimant(
            worker_id=worker_id,
            host=self._config.host,
            pool=self._pool,
            lease_seconds=self._config.lease_seconds,
        )
        heart = Heart(
            self._database,
            self._attempts,
            lease_seconds=self._config.lease_seconds,
            beat_seconds=self._config.beat_seconds,
            liveness_file=self._config.liveness_file,
            touch_share=self._share.free_bytes,
        )
        heart.start()
        for chore in (
            *self._chores,
            Chore(name="sign", every_seconds=_SIGN_SECONDS, run=lambda: self._sign(worker_id), rarest=_SIGN_RAREST),
        ):
            threading.Thread(target=self._do_chore, args=(chore,), name=chore.name, daemon=True).start()
        log.info("ready", event_code="ready", worker=worker_id, slots=self._config.slots, threads=self._config.threads)
        at_most = self._config.slots + self._config.rescue_slots
        with ThreadPoolExecutor(max_workers=at_most, thread_name_prefix="slot") as slots:
            self._work(claimant, lambda attempt: slots.submit(self._in_slot, attempt, around))
            self._drain(worker_id)
        heart.stop()
        self._say_goodbye(worker_id)

    def _register(self) -> int:
        return register(
            self._database,
            host=self._config.host,
            pool=self._pool,
            version=self._config.version,
            slots=self._config.slots,
            facts=self._facts(),
            identity=self._config.identity,
            lease_seconds=self._config.lease_seconds,
        )

    def _facts(self) -> dict[str, Any]:
        """What this process says of itself and its machine."""
        facts = {**self._config.facts, "cores": self._config.threads, "speed": self._speed.value}
        with contextlib.suppress(OSError):
            facts["scratch_free"] = psutil.disk_usage(str(self._config.scratch_root)).free
        facts["memory"] = psutil.virtual_memory().total
        return facts

    def _work(self, claimant: Claimant, begin: Callable[[Attempt], object]) -> None:
        pause = _FIRST_POLL_SECONDS
        while not self._stopping.is_set():
            self._wake.clear()
            if len(self._attempts) >= self._config.slots:
                if not self._claim_lost(claimant, begin):
                    self._wake.wait(_PAUSE_SECONDS)
                continue
            if not self._may_claim(claimant.worker_id):
                self._stopping.wait(_PAUSE_SECONDS)
                continue
            if self._claim_one(claimant, begin):
                pause = _FIRST_POLL_SECONDS
                continue
            self._wake.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
            pause = min(self._config.idle_poll_seconds * self._rarer, pause * 1.5)

    def _claim_lost(self, claimant: Claimant, begin: Callable[[Attempt], object]) -> bool:
        """Take what a vanished worker left, although every slot is taken."""
        if len(self._attempts) >= self._config.slots + self._config.rescue_slots:
            return False
        return self._claim_one(replace(claimant, lost_only=True), begin)

    def _claim_one(self, claimant: Claimant, begin: Callable[[Attempt], object]) -> bool:
        patience, lost_only = self._patience, claimant.lost_only
        try:
            if not has_ready(self._database, self._pool, patience_seconds=patience, lost_only=lost_only):
                return False
            if lost_only and not self._may_claim(
                claimant.worker_id
            ):  # not asked before: that takes a look at the share
                return False
            task = claim(self._database, replace(claimant, patience_seconds=patience), os.urandom(16))
        except Unavailable as error:
            log.warning("cannot claim", event_code="claim_failed", reason=error.message)
            self._stopping.wait(_PAUSE_SECONDS)
            return False
        if task is None:
            return False
        attempt = Attempt(task=task, threads=self._threads_for(task))
        self._attempts.add(attempt)
        metrics.RUNNING.set(len(self._attempts))
        begin(attempt)
        return True

    def _threads_for(self, task: Task) -> int:
        """All cores for a task that is alone; its share of them when others that weigh as much run or wait beside it.

        Two encoders with one thread each finish more work than two that fight for every core, but a lone one must not
        leave cores idle.
        """
        if self._config.slots == 1:
            return self._config.threads
        weight = task.cost * _RIVAL_PART
        running = sum(1 for attempt in self._attempts.all() if attempt.task.cost >= weight)
        waiting = 0
        with contextlib.suppress(Unavailable):  # the task is ours already, and any number of threads will do
            waiting = ready_count(self._database, self._pool, at_most=self._config.slots, min_cost=weight)
        return max(1, self._config.threads // min(self._config.slots, 1 + running + waiting))

    def _in_slot(self, attempt: Attempt, around: Surroundings) -> None:
        task = attempt.task
        with structlog.contextvars.bound_contextvars(
            job=task.job_key, task=task.id, attempt=task.attempt, kind=task.kind.value
        ):
            log.info("attempt begins", event_code="attempt_begins")
            begun, at_once = time.monotonic(), len(self._attempts)
            try:
                outcome = run(attempt, self._handlers[task.kind], around)
            finally:
                self._attempts.remove(attempt)
                metrics.RUNNING.set(len(self._attempts))
                self._wake.set()
            if outcome is AttemptOutcome.OK and task.kind is TaskKind.ENCODE:
                self._speed.finished(task.cost, time.monotonic() - begun, at_once=at_once)
            self._judge(attempt, outcome)

    def _judge(self, attempt: Attempt, outcome: AttemptOutcome) -> None:
        if outcome is AttemptOutcome.OK:
            self._confidence.succeeded()
        elif outcome is AttemptOutcome.FAILED and self._confidence.failed(attempt.task.id, time.monotonic()):
            log.error("everything fails here; stepping aside", event_code="set_aside")

    def _may_claim(self, worker_id: int) -> bool:
        """Whether work may be taken now; when that changes, say so at once, with the reason."""
        reason = self._why_paused()
        metrics.PAUSED.set(0 if reason is None else 1)
        shown = (UP if reason is None else DRAINING if self._orders.drain else ASIDE, reason)
        if shown != self._shown:
            log.warning("claims paused" if reason else "claims go on", event_code="claims", reason=reason)
            self._shown = shown
            with contextlib.suppress(Unavailable):
                self._sign(worker_id)
        return reason is None

    def _why_paused(self) -> str | None:
        """Why nothing is claimed now, in words for the operator; None when claiming is fine."""
        if self._orders.ousted:
            return f"another machine works under the name {self._config.host}"
        if self._orders.drain:
            return "drained by the operator"
        if self._orders.paused:
            return "paused by the operator, as all of this kind"
        if self._confidence.is_aside(time.monotonic()):
            return "set aside: everything failed here"
        return self._closed() or self._no_room()

    def _closed(self) -> str | None:
        try:
            return self._config.gate()
        except Unavailable as error:
            return error.message

    def _no_room(self) -> str | None:
        try:
            self._share.check_sentinel()
            if self._share.free_bytes() < 0:
                return f"the share has less than {self._share.free_floor_bytes >> 20} MiB left"
            if psutil.disk_usage(str(self._config.scratch_root)).free < self._config.scratch_free_floor:
                return f"the scratch disk has less than {self._config.scratch_free_floor >> 20} MiB left"
        except OmktError as error:
            return error.message
        except OSError as error:
            return f"the scratch disk does not answer: {error.strerror}"
        return None

    def _sign(self, worker_id: int) -> None:
        state, note = self._shown
        self._orders = sign(
            self._database, worker_id, state=state, note=note, identity=self._config.identity, facts=self._facts()
        )
        yields = self._config.yields and has_near_peer(self._database, self._pool)
        self._patience = _YIELD_SECONDS if yields else 0.0
        self._rarer = min(_RAREST, max(1.0, idle_peers(self._database, self._pool) / _CROWD))

    def _do_chore(self, chore: Chore) -> None:
        while not self._stopping.is_set():
            try:
                chore.run()
            except Unavailable as error:
                log.warning("a chore must wait", event_code="chore_waits", chore=chore.name, reason=error.message)
            except Exception:  # the others must go on
                log.exception("a chore broke", event_code="chore_broke", chore=chore.name)
            pause = chore.every_seconds * min(self._rarer, chore.rarest)
            self._stopping.wait(pause * random.uniform(0.9, 1.1))  # noqa: S311 - jitter, not a secret

    def _drain(self, worker_id: int) -> None:
        log.info("stopping", event_code="stopping", held=len(self._attempts))
        self._shown = (DRAINING, "stopping")
        with contextlib.suppress(Unavailable):
            self._sign(worker_id)
        deadline = time.monotonic() + self._config.grace_seconds
        while len(self._attempts) and time.monotonic() < deadline and self._signals < 2:
            self._wake.wait(0.1)
            self._wake.clear()
        for attempt in self._attempts.all():
            log.info("giving back", event_code="giving_back", task=attempt.task.id)
            attempt.end(StopReason.DRAINING)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        # The main thread may stand inside these very events, holding their locks: another thread sets them.
        _thread.start_new_thread(self._stop, ())

    def _stop(self) -> None:
        self._stopping.set()
        self._wake.set()

    def _say_goodbye(self, worker_id: int) -> None:
        try:
            sign(self._database, worker_id, state=GONE, note="stopped")
        except Unavailable:
            log.warning("could not sign off", event_code="no_goodbye")
        log.info("stopped", event_code="stopped")
