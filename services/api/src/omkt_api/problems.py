"""Errors as clients see them: RFC 9457 problems with stable codes. The one place that knows which error has which status."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from omkt_api.rates import RateLimited
from omkt_pipeline.domain.errors import (
    Conflict,
    FetchError,
    NotFound,
    OmktError,
    Refused,
    ShareUnusable,
    SourceError,
    TooLarge,
    Unavailable,
)

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

#: The nearest class of an error decides ...
STATUS: Mapping[type[OmktError], int] = {
    Refused: 400,
    SourceError: 400,
    FetchError: 400,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    Unavailable: 503,
    OmktError: 500,
}
#: ... except for these codes.
STATUS_OF_CODE: Mapping[str, int] = {
    "key_missing": 401,
    "key_invalid": 401,
    "scope_missing": 403,
    "operator_only": 403,
    "quota_storage": 403,
    "quota_upload": 413,
    "link_expired": 410,
    "tus_version": 412,
    "content_type_unknown": 415,
    "upload_too_long": 413,
    "upload_busy": 423,
    "rate_limited": 429,
    "checksum_mismatch": 460,
    "idempotency_mismatch": 422,
    "preset_invalid": 422,
    "share_full": 507,
}
TITLES: Mapping[int, str] = {
    400: "The request cannot be accepted",
    401: "An API key is needed",
    403: "This key may not do that",
    404: "Not found",
    405: "This address does not know the method",
    409: "The present state does not allow this",
    410: "Gone",
    412: "Another version is needed",
    413: "Too large",
    415: "Another content type is needed",
    416: "No such bytes",
    422: "The request is not well formed",
    423: "Somebody else is at it",
    429: "Too many requests",
    460: "The checksum does not match",
    500: "Something went wrong here",
    503: "Not available now",
    507: "No room",
}
#: What the operator reads in the log is not for clients: hosts, paths and users stand in it.
_UNAVAILABLE: Mapping[str, str] = {
    "database_away": "The farm's database does not answer. Nothing was changed; try again.",
    "database_too_new": "The farm's database is of a later version than this API; its operator must upgrade the images.",
    "database_not_migrated": "The farm's database is not ready for this version; its operator must run `omkt migrate`.",
    "share_unusable": "The farm's share cannot be used now. Try again later.",
    "share_full": "The farm has no room for new files now. Try again later.",
    "file_damaged": "This file is not on the share as it was published. The farm's operator should look at it.",
}
_HTTP_CODES: Mapping[int, str] = {
    400: "request_unreadable",
    404: "route_unknown",
    405: "method_not_allowed",
    413: "body_too_large",
    416: "range_unsatisfiable",
}


class Fault(BaseModel):
    """One field that is not as it must be."""

    field: str = Field(description="Where: the names down to the field, joined by dots.", examples=["source.url"])
    message: str = Field(examples=["String should have at most 2048 characters"])


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="`/problems/` and the code.", examples=["/problems/job_unknown"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(description="A sentence for people; may change.", examples=["There is no job abc."])
    code: str = Field(description="Stable; for programs.", examples=["job_unknown"])
    instance: str = Field(description="The id of the request, as in X-Request-Id and in the log.")
    errors: list[Fault] | None = Field(default=None, description="With `request_invalid`: each field.")


def status_of(error: OmktError) -> int:
    """The HTTP status of an error."""
    by_class = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    return STATUS_OF_CODE.get(error.code, by_class)


def detail_of(error: OmktError) -> str:
    """The sentence for the client."""
    if isinstance(error, Unavailable):
        family = "share_unusable" if isinstance(error, ShareUnusable) else "database_away"
        return _UNAVAILABLE.get(error.code, _UNAVAILABLE[family])
    return error.message


def problem(
    instance: str,
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[Fault] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The response that says what went wrong."""
    body = Problem(
        type=f"/problems/{code}",
        title=TITLES.get(status, "The request failed"),
        status=status,
        detail=detail,
        code=code,
        instance=instance,
        errors=list(errors) if errors is not None else None,
    )
    return JSONResponse(
        body.model_dump(exclude_none=True), status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def documented(*codes: tuple[int, str]) -> dict[int | str, dict[str, Any]]:
    """The problem responses of a route for OpenAPI, from (status, code) pairs."""
    responses: dict[int | str, dict[str, Any]] = {}
    for status in sorted({status for status, _ in codes}):
        names = [code for one, code in codes if one == status]
        responses[status] = {
            "description": f"{TITLES[status]}: " + ", ".join(f"`{name}`" for name in names) + ".",
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": {name: {"value": _example(status, name)} for name in names},
                }
            },
        }
    return responses


def _example(status: int, code: str) -> dict[str, Any]:
    return {
        "type": f"/problems/{code}",
        "title": TITLES[status],
        "status": status,
        "detail": "A sentence that says what is wrong and what to do.",
        "code": code,
        "instance": "s5a7qkq2ow3cfkbdzk7tq2rr4a",
    }


def install(app: FastAPI) -> None:
    """Answer every error of this app with a problem."""
    app.add_exception_handler(OmktError, _ours)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)


def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OmktError)  # noqa: S101 - registered for this class
    status = status_of(error)
    if status >= 500:
        log.warning(error.message, event_code="request_unavailable", code=error.code, request=request.state.id)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="omkt"'
    if status == 503:
        headers["Retry-After"] = "2"
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.retry_after)
    return problem(request.state.id, status, error.code, detail_of(error), headers=headers)


def _malformed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    faults = [
        Fault(field=_field(one["loc"][1:]) or str(one["loc"][0]), message=one["msg"]) for one in error.errors()[:50]
    ]
    detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults[:3])
    return problem(request.state.id, 422, "request_invalid", detail, errors=faults)


def _field(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location if not str(part).startswith("<"))


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    status, detail, headers = error.status_code, str(error.detail), dict(error.headers or {})
    if status == 405:
        headers["Allow"] = _methods(request)
    return problem(request.state.id, status, _HTTP_CODES.get(status, f"http_{status}"), detail, headers=headers)


def _methods(request: Request) -> str:
    """All methods of an address; the framework names those of one route alone."""
    known = (
        route.methods or set()
        for route in request.app.router.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
    )
    return ", ".join(sorted(set().union(*known)))
