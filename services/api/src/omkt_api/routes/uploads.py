"""/v1/uploads: put a file onto the share, in one request, or in as many as it takes (tus 1.0)."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from anyio import CancelScope, sleep, to_thread
from fastapi import APIRouter, Path, Query, Request, Response

from omkt_api import tus
from omkt_api.deps import Api, Caller, KeyedRoute, TheApi
from omkt_api.forms import FORM, FilePart, is_form
from omkt_api.original_name import clean_name
from omkt_api.problems import documented
from omkt_api.resumable import KEEP_SECONDS
from omkt_api.routes.jobs import KEYED
from omkt_api.uploads import demand_room, receive
from omkt_api.views import UploadOut, UploadStateOut
from omkt_pipeline.domain.account import Account
from omkt_pipeline.domain.errors import Conflict, Refused
from omkt_pipeline.domain.keys import new_key
from omkt_pipeline.queue.jobs import store_upload
from omkt_pipeline.queue.media import equal_original
from omkt_pipeline.queue.quotas import demand_upload
from omkt_pipeline.queue.uploads import UploadView, create_upload, end_upload, upload_by_key
from omkt_pipeline.storage import layout


class _UploadRoute(KeyedRoute):
    def limit(self, api: Api) -> int:
        return api.max_upload_bytes


router = APIRouter(prefix="/v1/uploads", tags=["uploads"], route_class=_UploadRoute)

UploadKey = Annotated[str, Path(max_length=64, description="The upload's id.")]
_SHARE = ((503, "share_unusable"), (507, "share_full"))
_QUOTAS = ((403, "quota_storage"), (413, "quota_upload"))
_STORED = (*KEYED, *_QUOTAS, (400, "upload_empty"), (413, "body_too_large"), *_SHARE)
_TUS = ((400, "upload_header_invalid"), (412, "tus_version"))
_UNKNOWN = (404, "upload_unknown")
#: How often and how many times it is looked whether a request whose connection broke has ended.
_LOOK_SECONDS, _LOOKS = 0.1, 20
_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_FORM = {
    FORM: {
        "schema": {
            "type": "object",
            "properties": {"file": {"type": "string", "format": "binary"}},
            "required": ["file"],
        }
    }
}


def _body(content: dict[str, Any]) -> dict[str, Any]:
    said = "The file itself, as it is; with or without Content-Length."
    return {"requestBody": {"required": True, "description": said, "content": content}}


_PART: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The bytes from Upload-Offset on.",
        "content": {tus.PART_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "",
    operation_id="upload",
    summary="Upload a file, or announce one",
    status_code=201,
    response_model=UploadOut,
    responses=documented(*_STORED, (400, "upload_form_invalid"), *_TUS),
    openapi_extra=_body(_BYTES | _FORM),
)
async def upload(
    request: Request,
    api: TheApi,
    caller: Caller,
    name: Annotated[str | None, Query(max_length=255, description="What people call the file.")] = None,
) -> UploadOut | Response:
    """Store a file, to be the source of any number of jobs. It stays for some days after the last of them.

    The body is the file itself, or a form as browsers send it, whose first file it is.

    With `Tus-Resumable` and `Upload-Length` it only announces one: the answer's `Location` takes the bytes by PATCH, in any
    number of requests. A job may name the upload at once, and begins when it is whole.
    """
    if "tus-resumable" in request.headers:
        return await _announce(request, api, caller)
    if is_form(request.headers):
        part = FilePart(request.headers, request.stream())
        return await _store(request, api, caller, name or await part.name(), part.blocks())
    return await _store(request, api, caller, name, request.stream())


@router.put(
    "/{key}",
    operation_id="put_upload",
    summary="Upload a file under a name",
    status_code=201,
    responses=documented(*_STORED),
    openapi_extra=_body(_BYTES),
)
async def put_upload(
    name: Annotated[str, Path(alias="key", max_length=255, description="What people call the file.")],
    request: Request,
    api: TheApi,
    caller: Caller,
) -> UploadOut:
    """As POST does; for clients that put, such as `curl -T film.mov …/v1/uploads/`. Each request stores a new upload."""
    return await _store(request, api, caller, name, request.stream())


async def _store(
    request: Request, api: Api, caller: Account, name: str | None, stream: AsyncIterator[bytes]
) -> UploadOut:
    announced = int(request.headers.get("content-length") or 0)
    await to_thread.run_sync(demand_upload, api.database, caller.id, caller.quotas, announced)
    await api.on_share(lambda: demand_room(api.share, announced))
    key = new_key()
    try:
        found = await receive(
            api.share,
            key,
            clean_name(name),
            _within(stream, caller.quotas.max_upload_bytes),
            api.on_share,
            lambda digest, size: equal_original(api.database, caller.id, sha256=digest, size=size),
        )
        await to_thread.run_sync(store_upload, api.database, caller.id, key, found)
    except BaseException:
        # Nobody has been told this id, so nobody can miss what lies under it.
        with CancelScope(shield=True):
            await api.on_share(lambda: api.share.remove(layout.media_originals(key)))
        raise
    return UploadOut(id=key, name=found.name, bytes=found.bytes or 0, sha256=found.sha256 or "")


async def _within(blocks: AsyncIterator[bytes], limit: int | None) -> AsyncIterator[bytes]:
    """The same blocks, as far as the account's quota goes: not every body says beforehand how long it is."""
    size = 0
    async for block in blocks:
        size += len(block)
        if limit is not None and size > limit:
            raise Refused(f"Your account may upload {limit} bytes at a time.", code="quota_upload")
        yield block


async def _announce(request: Request, api: Api, caller: Account) -> Response:
    tus.demand_version(request.headers)
    length = tus.announced_length(request.headers, largest=api.max_upload_bytes)
    text, name = tus.metadata(request.headers)
    await to_thread.run_sync(demand_upload, api.database, caller.id, caller.quotas, length)
    await api.on_share(lambda: demand_room(api.share, length))
    made = await to_thread.run_sync(
        lambda: create_upload(
            api.database, caller.id, length=length, name=name, metadata=text, keep_seconds=KEEP_SECONDS
        )
    )
    return Response(status_code=201, headers={"Location": f"/v1/uploads/{made.key}", **_progress(made)})


@router.options(
    "",
    operation_id="upload_capabilities",
    summary="What tus clients may do",
    status_code=204,
    responses=documented(*KEYED),
)
async def upload_capabilities(api: TheApi, caller: Caller) -> Response:  # noqa: ARG001 - keyed
    """The headers in which tus clients find versions, extensions and limits."""
    return Response(status_code=204, headers=tus.capabilities(largest=api.max_upload_bytes))


@router.head(
    "/{key}",
    operation_id="head_upload",
    summary="Ask where an upload goes on",
    response_class=Response,
    responses=documented(*KEYED, _UNKNOWN, (412, "tus_version"), (423, "upload_busy")),
)
async def head_upload(key: UploadKey, request: Request, api: TheApi, caller: Caller) -> Response:
    """`Upload-Offset` says how many bytes are safe. While another request is sending, nobody can go on: 423. When its
    connection has broken, it ends within moments, which are waited for."""
    view = await to_thread.run_sync(upload_by_key, api.database, caller.id, key)
    tus.demand_version(request.headers)
    patience = _LOOKS
    while view.is_held and patience:
        await sleep(_LOOK_SECONDS)
        view, patience = await to_thread.run_sync(upload_by_key, api.database, caller.id, key), patience - 1
    if view.is_held:
        raise Conflict("Another request is sending this upload. Ask again in a few seconds.", code="upload_busy")
    return Response(headers=_progress(view))


@router.get("/{key}", operation_id="get_upload", summary="Get an upload", responses=documented(*KEYED, _UNKNOWN))
def get_upload(key: UploadKey, api: TheApi, caller: Caller) -> UploadStateOut:
    """How far an upload is."""
    view = upload_by_key(api.database, caller.id, key)
    return UploadStateOut(
        id=view.key,
        name=view.name,
        bytes=view.length,
        received=view.received,
        complete=view.is_whole,
        sha256=view.sha256,
        expires_at=view.expires_at,
    )


@router.patch(
    "/{key}",
    operation_id="continue_upload",
    summary="Send more of an upload",
    status_code=204,
    responses=documented(
        *KEYED,
        *_TUS,
        *_SHARE,
        _UNKNOWN,
        (409, "upload_offset"),
        (413, "upload_too_long"),
        (415, "content_type_unknown"),
        (423, "upload_busy"),
        (460, "checksum_mismatch"),
    ),
    openapi_extra=_PART,
)
async def continue_upload(key: UploadKey, request: Request, api: TheApi, caller: Caller) -> Response:
    """Append bytes. What was received before the connection broke is kept; with `Upload-Checksum`, all of it or nothing."""
    known = await to_thread.run_sync(upload_by_key, api.database, caller.id, key)
    tus.demand_version(request.headers)
    if request.headers.get("content-type") != tus.PART_TYPE:
        raise Refused(f"Send the bytes as {tus.PART_TYPE}.", code="content_type_unknown")
    at, checksum = tus.offset(request.headers), tus.checksum(request.headers)
    if not (known.is_whole and at == known.length):
        await api.receiver.append(caller.id, key, at, request.stream(), checksum)
        known = await to_thread.run_sync(upload_by_key, api.database, caller.id, key)
    return Response(status_code=204, headers=_progress(known))


@router.delete(
    "/{key}",
    operation_id="end_upload",
    summary="Give up an upload",
    status_code=204,
    responses=documented(*KEYED, _UNKNOWN),
)
def give_up_upload(key: UploadKey, api: TheApi, caller: Caller) -> Response:
    """End an upload that is not whole, and remove what was received. Jobs that wait for it fail."""
    end_upload(api.database, caller.id, key)
    return Response(status_code=204)


def _progress(view: UploadView) -> dict[str, str]:
    headers = {"Upload-Offset": str(view.received), "Upload-Length": str(view.length), "Cache-Control": "no-store"}
    if view.metadata:
        headers["Upload-Metadata"] = view.metadata
    if view.expires_at:
        headers["Upload-Expires"] = tus.expires(view.expires_at)
    return headers
