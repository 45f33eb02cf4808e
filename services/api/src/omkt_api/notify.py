"""Notify: what happened to a job is told to the client's callback, signed, until it answers 2xx or days have passed.

Standard Webhooks 1.0: the message id stays the same over all tries, so that receivers can drop repetitions; the
timestamp is that of the try. A message may arrive twice (we die between the answer and its row), never not at all.
"""

import json
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import structlog
from standardwebhooks import Webhook

from omkt_api.connecting import Watch
from omkt_api.outside import Answer, Outside, retry_after
from omkt_pipeline.domain.errors import OmktError
from omkt_pipeline.queue.outbox import DueMessage

log = structlog.get_logger(__name__)

TRY_SECONDS = 20.0
MAX_BODY_BYTES = 20_000
#: Waits after the first, second, … try in vain; 3.5 days in all.
SCHEDULE_SECONDS = (5, 30, 120, 600, 1800, 7200, 18000, 36000, 50400, 72000, 86400)

_JITTER = 0.2
_LONGEST_WAIT_SECONDS = 86400.0
_SLOW_DOWN_SECONDS = 60.0
_SLOW_DOWN = frozenset({429, 502, 503, 504})
_GONE = 410
_READ_BYTES = 4096
#: One call of the notifier ends after so many rounds even if there is ever more to send.
_ROUNDS = 50
_ROUND_SECONDS = 0.2
_LEASE_SECONDS = 3 * TRY_SECONDS
#: What no later try can mend: the callback's address itself.
_HOPELESS = frozenset({"source_url_invalid", "source_address_refused", "callback_too_large"})


@dataclass(frozen=True, kw_only=True)
class DeliveryResult:
    """How one try ended."""

    ok: bool
    status: int | None  #: None when nobody answered
    seconds: float
    error: str | None = None  #: for people; None when ok
    gone: bool = False  #: trying again cannot help: the receiver said so, or its address is refused
    slow_down: bool = False  #: the receiver has too much to do
    retry_after: float | None = None  #: seconds for which it asked, unbounded


class Outbox(Protocol):
    """Where messages come from and where their fate is written."""

    def claim_due(self, *, limit: int, lease_seconds: float) -> list[DueMessage]:
        """Take messages that are due, for `lease_seconds`."""

    def record_delivered(self, message: DueMessage, *, status: int, seconds: float) -> None:
        """The receiver has it."""

    def record_failed(
        self, message: DueMessage, *, status: int | None, error: str, seconds: float, next_in_seconds: float | None
    ) -> None:
        """The receiver does not have it; try again in `next_in_seconds`, or never when None."""


def signed_headers(*, secret: str, message_id: str, now: datetime, body: str) -> dict[str, str]:
    """The headers by which a receiver knows that the body is ours. `now` must be in UTC."""
    return {
        "Content-Type": "application/json",
        "Webhook-Id": message_id,
        "Webhook-Timestamp": str(int(now.timestamp())),
        "Webhook-Signature": Webhook(secret).sign(message_id, now, body),
    }


def next_delay(tries: int, jitter: float = 0.0) -> float | None:
    """Seconds to wait after `tries` (1 or more) tries in vain, None to give up; `jitter` from -1 to 1 spreads them."""
    if tries > len(SCHEDULE_SECONDS):
        return None
    return SCHEDULE_SECONDS[tries - 1] * (1 + _JITTER * jitter)


def next_try(result: DeliveryResult, tries: int, jitter: float = 0.0) -> float | None:
    """Seconds to wait after this result of try number `tries`, None to give up. The receiver's wish is heard, bounded."""
    delay = None if result.gone else next_delay(tries, jitter)
    if delay is None:
        return None
    wished = max(result.retry_after or 0.0, _SLOW_DOWN_SECONDS) if result.slow_down else 0.0
    return max(delay, min(wished, _LONGEST_WAIT_SECONDS))


def deliver(outside: Outside, message: DueMessage, now: datetime) -> DeliveryResult:
    """Try once to deliver a message. Never raises for what the receiver or the network does."""
    body = json.dumps(message.body, ensure_ascii=False, separators=(",", ":"))
    begun = time.monotonic()
    try:
        if len(body.encode()) > MAX_BODY_BYTES:
            raise OmktError("The message is too large for a webhook.", code="callback_too_large")
        headers = signed_headers(secret=message.secret, message_id=message.message_id, now=now, body=body)
        watch = Watch.for_seconds(TRY_SECONDS)
        with outside.post(message.url, body.encode(), headers=headers, watch=watch, idle_seconds=TRY_SECONDS) as answer:
            _read_a_little(answer)
            return judge(answer.status, answer.headers, seconds=time.monotonic() - begun, now=now)
    except OmktError as error:
        return DeliveryResult(
            ok=False,
            status=None,
            seconds=time.monotonic() - begun,
            error=error.message,
            gone=error.code in _HOPELESS,
        )


def judge(status: int, headers: Mapping[str, str], *, seconds: float, now: datetime) -> DeliveryResult:
    """What a receiver's answer means: only 2xx is success."""
    ok = 200 <= status < 300
    return DeliveryResult(
        ok=ok,
        status=status,
        seconds=seconds,
        error=None if ok else f"The receiver answered {status}.",
        gone=status == _GONE,
        slow_down=status in _SLOW_DOWN,
        retry_after=retry_after(headers, now),
    )


#: Delivers messages that are no webhooks, by the first word of their topic.
Teller = Callable[[DueMessage], DeliveryResult]


class Notifier:
    """The verb: delivers due messages, several at a time. One thread calls `work_once`."""

    def __init__(
        self, *, outbox: Outbox, outside: Outside, parallel: int = 8, others: Mapping[str, Teller] | None = None
    ) -> None:
        self._outbox = outbox
        self._outside = outside
        self._others = others or {}
        self._parallel = parallel
        self._pool = ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="notify")
        self._under_way: set[Future[None]] = set()

    def work_once(self) -> bool:
        """Begin what is due, as places come free; return whether deliveries are still under way. Call it again soon.

        A receiver that takes its time holds one place, not the others, and not this call.
        Raises Unavailable when the outbox is away.
        """
        for _ in range(_ROUNDS):
            self._under_way = {one for one in self._under_way if not one.done()}
            if free := self._parallel - len(self._under_way):
                due = self._outbox.claim_due(limit=free, lease_seconds=_LEASE_SECONDS)
                self._under_way |= {self._pool.submit(self._send, message) for message in due}
                if len(due) < free:
                    break
            wait(self._under_way, timeout=_ROUND_SECONDS, return_when=FIRST_COMPLETED)
        return bool(self._under_way)

    def close(self) -> None:
        """Wait for the deliveries under way, at most one timeout long."""
        self._pool.shutdown(wait=True)

    def _send(self, message: DueMessage) -> None:
        try:
            result = self._deliver(message)
        except Exception:  # one broken message (a secret nobody can decode) must not stop the others
            log.exception("a delivery broke", event_code="delivery_broke", message=message.message_id)
            result = DeliveryResult(
                ok=False, status=None, seconds=0.0, error="internal: The message could not be sent."
            )
        try:
            self._record(message, result)
        except Exception:  # its lease runs out, and it is sent again under the same id
            log.exception("a delivery was not recorded", event_code="delivery_unrecorded", message=message.message_id)

    def _deliver(self, message: DueMessage) -> DeliveryResult:
        family = message.topic.partition(".")[0]
        if family in self._others:
            return self._others[family](message)
        return deliver(self._outside, message, datetime.now(UTC))

    def _record(self, message: DueMessage, result: DeliveryResult) -> None:
        if result.ok and result.status is not None:
            self._outbox.record_delivered(message, status=result.status, seconds=result.seconds)
            return
        tries = message.tries + 1
        delay = next_try(result, tries, random.uniform(-1, 1))  # noqa: S311 - jitter, not a secret
        log.warning(
            "webhook not delivered",
            event_code="webhook_given_up" if delay is None else "webhook_failed",
            message=message.message_id,
            tries=tries,
            status=result.status,
            reason=result.error,
            next_in_seconds=delay,
        )
        self._outbox.record_failed(
            message,
            status=result.status,
            error=result.error or "no reason",
            seconds=result.seconds,
            next_in_seconds=delay,
        )


def _read_a_little(answer: Answer) -> None:
    """Let the receiver finish its sentence, but not its novel. What it says does not matter, nor if it stops midway."""
    read = 0
    try:
        for block in answer.blocks:
            read += len(block)
            if read >= _READ_BYTES:
                return
    except OmktError:
        return
