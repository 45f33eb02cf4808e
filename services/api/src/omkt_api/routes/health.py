"""/healthz, /readyz and /metrics: for machines that look after this one."""

import threading
import time
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from omkt_api.deps import Api, TheApi
from omkt_api.problems import documented
from omkt_pipeline.db.revision import check_revision
from omkt_pipeline.domain.errors import ShareUnusable

router = APIRouter(tags=["health"])

#: An answer is good for so long: looking writes to the share, and anybody may ask.
_FRESH_SECONDS = 2.0
_WAIT_SECONDS = 5.0


class Health(BaseModel):
    status: Literal["ok"] = "ok"


class Readiness:
    """Whether requests can be served, looked at by one thread at a time."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._good_until = 0.0

    def check(self) -> None:
        """Raise Unavailable unless database and share can be used."""
        if not self._lock.acquire(timeout=_WAIT_SECONDS):
            raise ShareUnusable("An earlier look at database and share has not come back.")
        try:
            if time.monotonic() >= self._good_until:
                check_revision(self._api.database)
                self._api.share.check()
                self._good_until = time.monotonic() + _FRESH_SECONDS
        finally:
            self._lock.release()


async def _readiness(request: Request) -> Readiness:
    readiness = request.app.state.readiness
    assert isinstance(readiness, Readiness)  # noqa: S101 - set by create_app
    return readiness


@router.get("/healthz", operation_id="healthz", summary="Does the process live?")
async def healthz() -> Health:
    """Looks at nothing else: a process that cannot reach the database need not be restarted."""
    return Health()


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="Can it serve?",
    responses=documented(
        (503, "database_away"), (503, "database_not_migrated"), (503, "database_too_new"), (503, "share_unusable")
    ),
)
def readyz(readiness: Annotated[Readiness, Depends(_readiness)]) -> Health:
    """Asks the database and the share."""
    readiness.check()
    return Health()


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
def metrics(request: Request, _: TheApi) -> Response:
    """The measurements of this process, and the queue's depth."""
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)
