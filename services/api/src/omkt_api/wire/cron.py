"""Web-cron: clients of the original live by being called. One that takes its time holds one place, not the others."""

import time
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from omkt_api.connecting import Watch
from omkt_api.outside import Outside
from omkt_api.wire.callbacks import joined
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import OmktError
from omkt_pipeline.queue.wire.cron import CronCall, claim_due, record

log = structlog.get_logger(__name__)

AGENT = "OpenMediaKit-Transcoder/2.0 (Cron Daemon)"
#: In one call a client works off its whole queue.
CALL_SECONDS = 240.0
_MAX_ANSWER_BYTES = 1 << 20


class WebCron:
    """The verb, bound to a farm. One thread calls `work_once`."""

    def __init__(self, database: Database, outside: Outside, *, parallel: int) -> None:
        self._database, self._outside, self._parallel = database, outside, parallel
        self._pool = ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="web-cron")
        self._under_way: set[Future[None]] = set()

    def work_once(self) -> None:
        """Begin the calls that are due, as places are free. Raises Unavailable when the database is away."""
        self._under_way = {one for one in self._under_way if not one.done()}
        if free := self._parallel - len(self._under_way):
            due = claim_due(self._database, limit=free)
            self._under_way |= {self._pool.submit(self._call, call) for call in due}

    def close(self) -> None:
        """Wait for the calls under way."""
        self._pool.shutdown(wait=True)

    def _call(self, call: CronCall) -> None:
        begun = time.monotonic()
        error = _error_of(self._outside, call)
        try:
            record(self._database, call, ok=error is None, seconds=time.monotonic() - begun)
        except OmktError as away:  # it is due again when its lease has run out
            log.warning(away.message, event_code="web_cron_unrecorded", account=call.account_id)
        if error is not None:
            log.info("web-cron failed", event_code="web_cron_failed", account=call.account_id, reason=error)


def _error_of(outside: Outside, call: CronCall) -> str | None:
    """Call a client; why it did not work, if it did not. Any 200 is a success; a redirect is none."""
    url = joined(call.url, {"app_key": call.app_key, "action": "transcoder_cron"})
    try:
        watch = Watch.for_seconds(CALL_SECONDS)
        with outside.get(
            url, watch=watch, headers={"User-Agent": AGENT}, idle_seconds=CALL_SECONDS, redirects=0
        ) as answer:
            if answer.status != 200:
                return f"It answered {answer.status}."
            # The client works while it answers: who hangs up early may stop it in the middle.
            read = 0
            for block in answer.blocks:
                read += len(block)
                if read > _MAX_ANSWER_BYTES:
                    break
            return None
    except OmktError as error:
        return error.message
