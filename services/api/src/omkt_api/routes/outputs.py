"""/v1/jobs/…/outputs and /v1/files: what was made, by key or by signed link."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from omkt_api.deps import Caller, KeyedRoute, Render, TheApi
from omkt_api.downloads import answer, archive
from omkt_api.problems import documented
from omkt_api.routes.jobs import KEYED, JobKey
from omkt_api.views import OutputFilesOut
from omkt_pipeline.queue.overview import published_output

OutputKey = Annotated[str, Path(max_length=64, description="The output's id.", examples=["hls-h264"])]
FilePath = Annotated[str, Path(max_length=1024, description="The file's path, as the output lists it.")]
Token = Annotated[str, Path(max_length=512, description="The signed part of a link.")]

_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"application/octet-stream": {}}},
    206: {"description": "The range that was asked for.", "content": {"application/octet-stream": {}}},
    304: {"description": "The client has the file already (If-None-Match)."},
}
_FILE_PROBLEMS = (
    (404, "output_unknown"),
    (404, "file_unknown"),
    (416, "range_unsatisfiable"),
    (422, "request_invalid"),
    (503, "file_damaged"),
    (503, "database_away"),
)

keyed = APIRouter(prefix="/v1/jobs/{key}/outputs", tags=["outputs"], route_class=KeyedRoute)
signed = APIRouter(prefix="/v1/files", tags=["outputs"])
zips = APIRouter(prefix="/v1/zips", tags=["outputs"])


@keyed.get(
    "/{output}",
    operation_id="get_output",
    summary="Get a published output",
    responses=documented(*KEYED, (404, "output_unknown")),
)
def get_output(key: JobKey, output: OutputKey, api: TheApi, caller: Caller, render: Render) -> OutputFilesOut:
    """A published output: its files with size, checksum and signed address."""
    return render.published(published_output(api.database, key, output, account_id=caller.id))


_ZIP: dict[int | str, dict[str, Any]] = {
    200: {"description": "The zip, uncompressed.", "content": {"application/zip": {}}},
}
_ZIP_PROBLEMS = ((404, "output_unknown"), (422, "request_invalid"), (503, "file_damaged"), (503, "database_away"))


@keyed.get(
    "/{output}/zip",
    operation_id="get_zip",
    summary="Get all files of an output",
    response_class=Response,
    response_model=None,
    responses=_ZIP | documented(*KEYED, *_ZIP_PROBLEMS),
)
def get_zip(key: JobKey, output: OutputKey, api: TheApi, caller: Caller) -> Response:
    """Everything that an output is, as one zip with its folders."""
    found = published_output(api.database, key, output, account_id=caller.id)
    return archive(api.share, found, api.on_share)


@zips.get(
    "/{token}",
    operation_id="get_linked_zip",
    summary="Get all files by a link",
    response_class=Response,
    response_model=None,
    responses=_ZIP | documented((404, "link_invalid"), (410, "link_expired"), *_ZIP_PROBLEMS),
)
def get_linked_zip(token: Token, api: TheApi) -> Response:
    """The same without a key: the link is the permission."""
    link = api.links.read(token, now=time.time())
    return archive(api.share, published_output(api.database, link.job_key, link.output_key), api.on_share)


def _file(key: JobKey, output: OutputKey, path: FilePath, request: Request, api: TheApi, caller: Caller) -> Response:
    """One file, or one range of it."""
    found = published_output(api.database, key, output, account_id=caller.id)
    return answer(request, api.share, found, path, api.on_share, api.accel_prefix)


def _linked_file(token: Token, path: FilePath, request: Request, api: TheApi) -> Response:
    """One file, or one range of it. No key is needed: the link is the permission."""
    link = api.links.read(token, now=time.time())
    found = published_output(api.database, link.job_key, link.output_key)
    return answer(request, api.share, found, path, api.on_share, api.accel_prefix)


for method, prefix in (("GET", "get"), ("HEAD", "head")):
    keyed.add_api_route(
        "/{output}/files/{path:path}",
        _file,
        methods=[method],
        operation_id=f"{prefix}_file",
        summary="Get a file" if method == "GET" else "Ask for a file's headers",
        response_class=Response,
        response_model=None,
        responses=_FILE | documented(*KEYED, *_FILE_PROBLEMS),
    )
    signed.add_api_route(
        "/{token}/{path:path}",
        _linked_file,
        methods=[method],
        operation_id=f"{prefix}_linked_file",
        summary="Get a file by its link" if method == "GET" else "Ask for a linked file's headers",
        response_class=Response,
        response_model=None,
        responses=_FILE | documented((404, "link_invalid"), (410, "link_expired"), *_FILE_PROBLEMS),
    )
