"""Webhooks: signatures that the specification's own library accepts, and patience that ends."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from omkt_api.notify import SCHEDULE_SECONDS, DeliveryResult, judge, next_delay, next_try, signed_headers

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FAILED = DeliveryResult(ok=False, status=500, seconds=0.1, error="x")


def test_the_published_vector_is_met() -> None:
    headers = signed_headers(
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        now=datetime.fromtimestamp(1614265330, UTC),
        body='{"test": 2432232314}',
    )
    assert headers["Webhook-Id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers["Webhook-Timestamp"] == "1614265330"
    assert headers["Webhook-Signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_accepts_the_signature_and_notices_a_changed_body() -> None:
    secret, body = "whsec_" + "A" * 32, json.dumps({"type": "job.succeeded", "name": "ü"}, ensure_ascii=False)
    headers = signed_headers(secret=secret, message_id="msg_1", now=datetime.now(UTC), body=body)
    assert Webhook(secret).verify(body, headers)["name"] == "ü"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace("succeeded", "failed"), headers)


def test_tries_go_on_for_days_and_then_end() -> None:
    delays = [next_delay(tries) for tries in range(1, len(SCHEDULE_SECONDS) + 2)]
    assert delays[-1] is None
    assert 3 * 86400 < sum(delay for delay in delays if delay is not None) < 5 * 86400


@given(st.integers(1, len(SCHEDULE_SECONDS)), st.floats(-1, 1))
def test_jitter_moves_a_delay_by_a_fifth_at_most(tries: int, jitter: float) -> None:
    delay, plain = next_delay(tries, jitter), next_delay(tries)
    assert delay is not None
    assert plain is not None
    assert abs(delay - plain) <= 0.2 * plain + 1e-9


@pytest.mark.parametrize("status", [200, 201, 204])
def test_only_2xx_is_success(status: int) -> None:
    assert judge(status, {}, seconds=0.1, now=NOW).ok


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 410, 429, 500, 503])
def test_everything_else_is_failure_redirects_too(status: int) -> None:
    result = judge(status, {}, seconds=0.1, now=NOW)
    assert not result.ok
    assert result.gone == (status == 410)
    assert result.error is not None


def test_a_receiver_that_is_gone_is_not_tried_again() -> None:
    assert next_try(judge(410, {}, seconds=0.1, now=NOW), 1) is None


def test_a_busy_receiver_is_left_alone_as_long_as_it_asks_within_a_day() -> None:
    assert next_try(judge(429, {"retry-after": "900"}, seconds=0.1, now=NOW), 1) == 900
    assert next_try(judge(503, {"retry-after": "999999999"}, seconds=0.1, now=NOW), 1) == 86400
    assert next_try(judge(503, {}, seconds=0.1, now=NOW), 1) == 60
    assert next_try(judge(429, {"retry-after": "1"}, seconds=0.1, now=NOW), 6) == SCHEDULE_SECONDS[5]


def test_other_failures_follow_the_schedule() -> None:
    assert next_try(FAILED, 1) == SCHEDULE_SECONDS[0]
    assert next_try(FAILED, len(SCHEDULE_SECONDS) + 1) is None
