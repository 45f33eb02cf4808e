"""/v1/uploads: put a file onto the share."""

from typing import Annotated

from anyio import CancelScope, to_thread
from fastapi import APIRouter, Query, Request

from omkt_api.deps import Api, Caller, KeyedRoute, TheApi
from omkt_api.problems import documented
from omkt_api.routes.jobs import KEYED
from omkt_api.uploads import clean_name, demand_room, receive
from omkt_api.views import UploadOut
from omkt_pipeline.domain.keys import new_key
from omkt_pipeline.queue.jobs import store_upload
from omkt_pipeline.storage import layout


class _UploadRoute(KeyedRoute):
    def limit(self, api: Api) -> int:
        return api.max_upload_bytes


router = APIRouter(prefix="/v1/uploads", tags=["uploads"], route_class=_UploadRoute)


@router.post(
    "",
    operation_id="upload",
    summary="Upload a file",
    status_code=201,
    responses=documented(
        *KEYED, (400, "upload_empty"), (413, "body_too_large"), (503, "share_unusable"), (507, "share_full")
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The file itself, as it is; with or without Content-Length.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def upload(
    request: Request,
    api: TheApi,
    caller: Caller,
    name: Annotated[str | None, Query(max_length=255, description="What people call the file.")] = None,
) -> UploadOut:
    """Store a file, to be the source of any number of jobs. It stays for some days after the last of them."""
    announced = int(request.headers.get("content-length") or 0)
    await api.on_share(lambda: demand_room(api.share, announced))
    key = new_key()
    try:
        found = await receive(api.share, key, clean_name(name), request.stream(), api.on_share)
        await to_thread.run_sync(store_upload, api.database, caller.id, key, found)
    except BaseException:
        # Nobody has been told this id, so nobody can miss what lies under it.
        with CancelScope(shield=True):
            await api.on_share(lambda: api.share.remove(layout.media_originals(key)))
        raise
    return UploadOut(id=key, name=found.name, bytes=found.bytes or 0, sha256=found.sha256 or "")
