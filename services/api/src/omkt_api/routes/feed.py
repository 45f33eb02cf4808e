"""/v1/events: everything that happens to an account's jobs, as it happens."""

from typing import Annotated

from fastapi import APIRouter, Header, Query

from omkt_api.deps import Caller, KeyedRoute, TheApi
from omkt_api.problems import documented
from omkt_api.routes.jobs import KEYED
from omkt_api.streams import EventStream

router = APIRouter(prefix="/v1/events", tags=["events"], route_class=KeyedRoute)

_LAST = r"^[0-9]{1,18}$"


@router.get(
    "",
    operation_id="watch_events",
    summary="Watch everything",
    response_class=EventStream,
    responses=documented(*KEYED),
)
async def watch_events(
    api: TheApi,
    caller: Caller,
    types: Annotated[
        str | None, Query(max_length=400, description="Only these, comma-separated.", examples=["job.failed"])
    ] = None,
    last_event_id: Annotated[
        str | None,
        Header(
            pattern=_LAST, description="The last event that you have: what came after it comes first. Three days back."
        ),
    ] = None,
) -> EventStream:
    """Server-sent events of all your jobs, named as webhooks are (`job.succeeded`, `output.published`, …), with the same data.

    An event's id may be sent back as Last-Event-ID, which browsers do by themselves: then none is missed. Ids rise with time, and
    have gaps.
    """
    wanted = {name.strip() for name in (types or "").split(",") if name.strip()}
    last = int(last_event_id) if last_event_id is not None else None
    return EventStream(api.feed.listen(caller.id, last, wanted))
