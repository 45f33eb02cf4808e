"""app_get_media: a result by pieces whose END is exclusive, with status 200; or by Range, as HTTP has it."""

import re
from collections.abc import Mapping

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from omkt_api.deps import Api
from omkt_api.downloads import answer, piece
from omkt_api.ranges import Slice
from omkt_api.wire.codes import Code, WireError
from omkt_api.wire.php import Value, number_of, text_of
from omkt_pipeline.domain.errors import NotFound
from omkt_pipeline.queue.overview import PublishedOutput, published_output
from omkt_pipeline.queue.wire import media
from omkt_pipeline.queue.wire.clients import WireClient

_PIECE = re.compile(r"([0-9]{1,18})-([0-9]{0,18})")


def piece_of(api: Api, client: WireClient, parameters: Mapping[str, Value], request: Request) -> Response:
    """The bytes that are asked for. Raises WireError."""
    remote_id, setting = number_of(parameters, "id"), number_of(parameters, "settings_id")
    if remote_id is None or setting is None:
        raise WireError(Code.BAD_PARAMETER, "id and settings_id (numbers) are mandatory.")
    found = _result(api, client, remote_id, setting)
    asked = parameters.get("content_range")
    if asked is not None:
        part = exclusive(text_of(parameters, "content_range") or "", size=found.files[found.entry].bytes)
        return piece(api.share, found, found.entry, part, api.on_share)
    try:
        return answer(request, api.share, found, found.entry, api.on_share)
    except HTTPException:
        raise WireError(Code.BAD_RANGE, "The file has no such bytes.") from None


def exclusive(asked: str, *, size: int) -> Slice:
    """`START-END` without the byte at END, or `START-` for the rest. Raises WireError (216)."""
    found = _PIECE.fullmatch(asked)
    if found is None:
        raise WireError(Code.BAD_RANGE, "content_range must be START-END or START-.")
    start, stop = int(found[1]), int(found[2]) if found[2] else size
    if not start < stop <= size:
        raise WireError(Code.BAD_RANGE, f"The file has {size} bytes.")
    return Slice(status=200, start=start, stop=stop)


def _result(api: Api, client: WireClient, remote_id: int, setting: int) -> PublishedOutput:
    try:
        taken = media.find(api.database, client.account_id, remote_id)
        made = media.formats_of(api.database, taken).get(setting)
        if made is None or made.output_key is None:
            raise NotFound("not made")
        return published_output(api.database, made.job_key, made.output_key, account_id=client.account_id)
    except NotFound:
        raise WireError(Code.NOT_FOUND, "There is no such result.") from None
