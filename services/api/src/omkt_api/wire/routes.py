"""/api and /api/: the original's one address; and the link of its validation mail."""

from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Request, Response

from omkt_api.deps import TheApi
from omkt_api.wire.calls import Call, Wire, page
from omkt_api.wire.codes import Code, wrapped
from omkt_api.wire.php import MAX_PARAMETERS, pairs_of, parameters
from omkt_pipeline.domain.errors import NotFound
from omkt_pipeline.queue.wire.clients import confirm

#: Of a form; the largest parameter is a list of numbers.
_MAX_BODY_BYTES = 1 << 16
_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"

router = APIRouter(include_in_schema=False)


@router.api_route("/api", methods=["GET", "POST", "HEAD"])
@router.api_route("/api/", methods=["GET", "POST", "HEAD"])
async def call(request: Request) -> Response:
    """Any method of the original, by its `action`."""
    try:
        said = parameters(pairs_of(request.url.query), await _form(request))
    except ValueError as error:
        return wrapped(Code.BAD_PARAMETER, str(error))
    address = request.client.host if request.client else ""
    wire: Wire = request.app.state.wire
    return await to_thread.run_sync(partial(wire.answer, Call(parameters=said, address=address, request=request)))


@router.get("/users/validate/{token}")
def validate(token: Annotated[str, Path(max_length=64)], api: TheApi) -> Response:
    """Somebody followed the link of the mail."""
    try:
        email = confirm(api.database, token)
    except NotFound as error:
        return page(error.message, status=404)
    return page(f"{email} is confirmed, and the account works.")


async def _form(request: Request) -> list[tuple[str, str]]:
    """The pairs of a form, as browsers and as PHP's curl send it. Raises ValueError for one that is none, or too large."""
    if request.method != "POST":
        return []
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced[:20]) > _MAX_BODY_BYTES:
        raise ValueError(f"The body may have at most {_MAX_BODY_BYTES} bytes.")
    if kind == _MULTIPART:
        try:
            form = await request.form(max_files=0, max_fields=MAX_PARAMETERS, max_part_size=_MAX_BODY_BYTES)
        except Exception as error:
            raise ValueError("The form cannot be read.") from error
        return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    body = b""
    async for block in request.stream():
        body += block
        if len(body) > _MAX_BODY_BYTES:
            raise ValueError(f"The body may have at most {_MAX_BODY_BYTES} bytes.")
    return pairs_of(body.decode("ascii", "replace")) if kind in (_FORM, "") else []
