"""/v1/jobs/…/webhooks: what became of the messages to a job's callback."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from omkt_api.deps import Caller, KeyedRoute, TheApi
from omkt_api.problems import documented
from omkt_api.routes.jobs import KEYED, UNKNOWN, JobKey
from omkt_pipeline.queue.deliveries import messages_of, replay

router = APIRouter(prefix="/v1/jobs/{key}/webhooks", tags=["webhooks"], route_class=KeyedRoute)

MessageId = Annotated[str, Path(max_length=64, description="The webhook's id, as in its header Webhook-Id.")]


class DeliveryOut(BaseModel):
    """One try."""

    at: datetime
    status: int | None = Field(description="The receiver's answer; null when there was none.")
    error: str | None
    seconds: float


class WebhookOut(BaseModel):
    """One message with its tries."""

    id: str
    type: str = Field(examples=["job.succeeded"])
    url: str
    state: str = Field(description="due, sending, delivered or given_up.")
    payload: dict[str, Any]
    created_at: datetime
    next_try_at: datetime | None
    deliveries: list[DeliveryOut]


class WebhooksOut(BaseModel):
    webhooks: list[WebhookOut]


@router.get("", operation_id="list_webhooks", summary="List a job's webhooks", responses=documented(*KEYED, UNKNOWN))
def list_webhooks(key: JobKey, api: TheApi, caller: Caller) -> WebhooksOut:
    """Every message to the job's callback, in order, with every try to deliver it."""
    return WebhooksOut(
        webhooks=[
            WebhookOut(
                id=message.message_id,
                type=message.topic,
                url=message.url,
                state=message.state.name.lower(),
                payload=message.body,
                created_at=message.created_at,
                next_try_at=message.next_try_at,
                deliveries=[
                    DeliveryOut(at=one.at, status=one.status, error=one.error, seconds=one.seconds)
                    for one in message.deliveries
                ],
            )
            for message in messages_of(api.database, caller.id, key)
        ]
    )


@router.post(
    "/{message}/replay",
    operation_id="replay_webhook",
    summary="Send a webhook again",
    status_code=202,
    responses=documented(*KEYED, UNKNOWN, (404, "webhook_unknown"), (409, "webhook_under_way")),
)
def replay_webhook(key: JobKey, message: MessageId, api: TheApi, caller: Caller) -> Response:
    """Send it again, now and for as long as it takes, under its old id."""
    replay(api.database, caller.id, key, message)
    return Response(status_code=202)
