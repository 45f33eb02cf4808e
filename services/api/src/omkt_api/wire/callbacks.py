"""Callbacks in the original's form: GET on the client's API root, with its own secret, until it answers with a yes."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from omkt_api.connecting import Watch
from omkt_api.notify import DeliveryResult
from omkt_api.outside import Answer, Outside
from omkt_api.wire import metadata
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import OmktError
from omkt_pipeline.domain.media import MediaFacts
from omkt_pipeline.queue.outbox import DueMessage
from omkt_pipeline.queue.wire.telling import Telling, telling_of

#: The original's own words for itself; clients look for them in their logs.
AGENT = "OpenMediaKit-Transcoder/2.0 (Client API Daemon)"
TRY_SECONDS = 30.0
_MAX_ANSWER_BYTES = 64 << 10
_YES = (0, 200)
#: How the original's client says that it does not know an action. It knows no alerts.
_UNKNOWN_ACTION = 226


def tell(database: Database, outside: Outside, message: DueMessage) -> DeliveryResult:
    """Try once to tell a client. Never raises for what the client or the network does."""
    begun = time.monotonic()
    telling = telling_of(database, str(message.body["data"]["job"]))
    if telling is None or not telling.client.enabled:
        return _hopeless("There is nobody to tell it to any more.")
    said = parameters(telling)
    if said is None:
        return _hopeless("What was to be told is not there any more.")
    url = joined(telling.client.url, {"app_key": telling.client.app_key, **said})
    try:
        # The message's id is for clients that want to know a repetition; the original's own takes no notice.
        headers = {"User-Agent": AGENT, "Webhook-Id": message.message_id}
        with outside.get(url, watch=Watch.for_seconds(TRY_SECONDS), headers=headers) as answer:
            result = judge(answer.status, _body(answer), is_alert=telling.alert is not None)
    except OmktError as error:
        result = DeliveryResult(ok=False, status=None, seconds=0.0, error=error.message)
    return replace(result, seconds=time.monotonic() - begun)


def parameters(telling: Telling) -> dict[str, str] | None:
    """What the client is told, under the original's names; None when it expired meanwhile."""
    media = {"id": str(telling.remote_id)}
    if telling.alert is not None:
        setting = {} if telling.setting is None else {"settings_id": str(telling.setting)}
        said = {"status": str(int(telling.alert)), "message": telling.message}
        return {"action": "transcoder_send_alert", **media, **setting, **said}
    if telling.setting is not None:
        if telling.made is None:
            return None
        return {
            "action": "transcoder_send_format",
            **media,
            "settings_id": str(telling.setting),
            "cardinality": str(metadata.cardinality(telling.made)),
            "adapter": telling.adapter,
            "metadata": metadata.compact(metadata.of_result(telling.made)),
        }
    if telling.facts is None:
        return None
    facts = MediaFacts.model_validate(telling.facts)
    return {
        "action": "transcoder_send_metadata",
        **media,
        "metadata": metadata.compact(metadata.of_source(facts)),
    }


def joined(url: str, parameters: Mapping[str, str]) -> str:
    """A URL with further parameters, behind `?` or `&`."""
    plain, mark, fragment = url.partition("#")
    return f"{plain}{'&' if '?' in plain else '?'}{urlencode(parameters)}{mark}{fragment}"


def judge(status: int, body: bytes, *, is_alert: bool) -> DeliveryResult:
    """What a client's answer means: 200 and a code that says yes, or try again."""
    code = _code(body) if status == 200 else None
    if code in _YES:
        return DeliveryResult(ok=True, status=status, seconds=0.0)
    if is_alert and code == _UNKNOWN_ACTION:
        return DeliveryResult(ok=False, status=status, seconds=0.0, error="The client knows no alerts.", gone=True)
    said = "no code" if code is None else f"the code {code}"
    return DeliveryResult(ok=False, status=status, seconds=0.0, error=f"The client answered {status} with {said}.")


def _code(body: bytes) -> int | None:
    try:
        code = json.loads(body)["result"]["code"]
        return int(code)
    except (ValueError, KeyError, TypeError):
        return None


def _body(answer: Answer) -> bytes:
    body = b""
    for block in answer.blocks:
        body += block
        if len(body) > _MAX_ANSWER_BYTES:
            return b""
    return body


def _hopeless(error: str) -> DeliveryResult:
    return DeliveryResult(ok=False, status=None, seconds=0.0, error=error, gone=True)
