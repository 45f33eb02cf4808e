"""Expire: what retention allows to go, goes. Rows change first; files go after; repeated, it does no harm."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.job import JobState
from omkt_pipeline.queue.feed import forget_events
from omkt_pipeline.queue.retention import (
    Sweepable,
    expire_jobs,
    expire_media,
    forget_requests,
    mark_removed,
    mark_swept,
    removable_media,
    sweepable,
)
from omkt_pipeline.queue.trail import forget_steps
from omkt_pipeline.queue.uploads import expire_uploads
from omkt_pipeline.storage import layout
from omkt_pipeline.storage.share import Share

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How long things stay, in seconds; 0 keeps them."""

    originals_seconds: float
    results_seconds: float
    failed_seconds: float


class Expire:
    """The verb, bound to a farm."""

    def __init__(self, database: Database, share: Share, retention: Callable[[], Retention]) -> None:
        self._database = database
        self._share = share
        self._retention = retention

    def work_once(self) -> None:
        """Let one batch go of everything that may."""
        keep = self._retention()
        for state, seconds in (
            (JobState.SUCCEEDED, keep.results_seconds),
            (JobState.FAILED, keep.failed_seconds),
            (JobState.CANCELLED, keep.failed_seconds),
        ):
            if seconds and (jobs := expire_jobs(self._database, state=state, after_seconds=seconds)):
                log.info("jobs expired", event_code="jobs_expired", was=state.value, jobs=jobs)
        for ended in sweepable(self._database):
            self._sweep(ended)
        for key in expire_uploads(self._database):
            log.info("upload given up", event_code="upload_expired", media=key)
        self._remove_originals(keep.originals_seconds)
        forget_requests(self._database)
        forget_events(self._database)
        forget_steps(self._database)

    def _sweep(self, ended: Sweepable) -> None:
        self._share.remove(layout.job_staging(ended.job_key))
        if ended.kept:
            self._share.keep_only(layout.job_results(ended.job_key), ended.kept)
        else:
            self._share.remove(layout.job_results(ended.job_key))
        mark_swept(self._database, ended)

    def _remove_originals(self, seconds: float) -> None:
        removable = expire_media(self._database, after_seconds=seconds) if seconds else removable_media(self._database)
        for gone in removable:
            self._share.remove(layout.media_originals(gone.media_key))
            mark_removed(self._database, gone)
            log.info("original expired", event_code="original_expired", media=gone.media_key)
