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
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

import structlog

from omkt_pipeline import metrics
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import Unavailable
from omkt_pipeline.domain.task import Pool, Task, TaskKind
from omkt_pipeline.queue.claim import Claimant, claim, has_ready, ready_count
from omkt_pipeline.storage.share import Share
from omkt_pipeline.worker.attempt import Attempt, StopReason, Surroundings, run
from omkt_pipeline.worker.config import WorkerConfig
from omkt_pipeline.worker.context import Handler
from omkt_pipeline.worker.heart import Attempts, Heart
from omkt_pipeline.worker.scratch import own_folder
from omkt_pipeline.worker.standing import Standing

log = structlog.get_logger(__name__)

#: A poll soon after work, then ever rarer: with the last interval a new task waits 0.4 s on average.
_FIRST_POLL_SECONDS = 0.05
_SIGN_SECONDS = 10.0
_PAUSE_SECONDS = 2.0
#: A task that costs this part of another one takes cores from it for long enough to count.
_RIVAL_PART = 0.3
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
        standing = Standing(self._database, self._share, self._pool, self._config)
        claimant = Claimant(
            worker_id=standing.worker_id,
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
            Chore(name="sign", every_seconds=_SIGN_SECONDS, run=standing.sign, rarest=_SIGN_RAREST),
        ):
            threading.Thread(target=self._do_chore, args=(chore, standing), name=chore.name, daemon=True).start()
        log.info(
            "ready",
            event_code="ready",
            worker=standing.worker_id,
            slots=self._config.slots,
            threads=self._config.threads,
        )
        at_most = self._config.slots + self._config.rescue_slots
        with ThreadPoolExecutor(max_workers=at_most, thread_name_prefix="slot") as slots:
            self._work(claimant, standing, lambda attempt: slots.submit(self._in_slot, attempt, around, standing))
            self._drain(standing)
        heart.stop()
        standing.leave()
        log.info("stopped", event_code="stopped")

    def _work(self, claimant: Claimant, standing: Standing, begin: Callable[[Attempt], object]) -> None:
        pause = _FIRST_POLL_SECONDS
        while not self._stopping.is_set():
            self._wake.clear()
            if len(self._attempts) >= self._config.slots:
                if not self._claim_lost(claimant, standing, begin):
                    self._wake.wait(_PAUSE_SECONDS)
                continue
            if not standing.may_claim():
                self._stopping.wait(_PAUSE_SECONDS)
                continue
            if self._claim_one(claimant, standing, begin):
                pause = _FIRST_POLL_SECONDS
                continue
            self._wake.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
            pause = min(self._config.idle_poll_seconds * standing.rarer, pause * 1.5)

    def _claim_lost(self, claimant: Claimant, standing: Standing, begin: Callable[[Attempt], object]) -> bool:
        """Take what a vanished worker left, although every slot is taken."""
        if len(self._attempts) >= self._config.slots + self._config.rescue_slots:
            return False
        return self._claim_one(replace(claimant, lost_only=True), standing, begin)

    def _claim_one(self, claimant: Claimant, standing: Standing, begin: Callable[[Attempt], object]) -> bool:
        patience, lost_only = standing.patience_seconds, claimant.lost_only
        try:
            if not has_ready(self._database, self._pool, patience_seconds=patience, lost_only=lost_only):
                return False
            # Not asked before: that takes a look at the share.
            if lost_only and not standing.may_claim():
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

    def _in_slot(self, attempt: Attempt, around: Surroundings, standing: Standing) -> None:
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
            standing.ended(task, outcome, seconds=time.monotonic() - begun, at_once=at_once)

    def _do_chore(self, chore: Chore, standing: Standing) -> None:
        while not self._stopping.is_set():
            try:
                chore.run()
            except Unavailable as error:
                log.warning("a chore must wait", event_code="chore_waits", chore=chore.name, reason=error.message)
            except Exception:  # the others must go on
                log.exception("a chore broke", event_code="chore_broke", chore=chore.name)
            pause = chore.every_seconds * min(standing.rarer, chore.rarest)
            self._stopping.wait(pause * random.uniform(0.9, 1.1))  # noqa: S311 - jitter, not a secret

    def _drain(self, standing: Standing) -> None:
        log.info("stopping", event_code="stopping", held=len(self._attempts))
        standing.stopping()
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
