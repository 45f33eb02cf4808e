"""The original's codes, which its clients compare, and answers wrapped in them.

The original sent its codes as HTTP statuses too (501 to 510 look like broken gateways). Its client looks at the status of
app_get_media alone, so that statuses are now what they mean; see docs/decisions/0007-the-wires-open-questions.md.
"""

from enum import IntEnum

from fastapi.responses import JSONResponse


class Code(IntEnum):
    """A code in the body. Numbers with two meanings are the original's."""

    OK = 200
    BAD_RANGE = 216
    ADAPTER_NOT_SUPPORTED = 400
    NOT_FOUND = 404
    ADAPTER_NOT_ALLOWED = 405
    MANDATORY = 501
    NO_KEY = 502
    DISABLED = 503
    EXEC = 503
    RATE_LIMIT = 504
    BAD_PARAMETER = 505
    BAD_MEDIA = 505
    CREATE_MEDIA = 506
    ALREADY = 507
    NOT_PUBLIC = 508
    APPLICATION_NOT_ALLOWED = 509
    CREATE_ACCOUNT = 510
    BAD_URL = 13


_STATUS = {
    Code.OK: 200,
    Code.BAD_RANGE: 416,
    Code.ADAPTER_NOT_SUPPORTED: 400,
    Code.NOT_FOUND: 404,
    Code.ADAPTER_NOT_ALLOWED: 403,
    Code.MANDATORY: 401,
    Code.NO_KEY: 401,
    Code.RATE_LIMIT: 429,
    Code.BAD_PARAMETER: 400,
    Code.CREATE_MEDIA: 500,
    Code.ALREADY: 409,
    Code.NOT_PUBLIC: 403,
    Code.APPLICATION_NOT_ALLOWED: 403,
    Code.CREATE_ACCOUNT: 409,
    Code.BAD_URL: 200,
}


class WireError(Exception):
    """An answer that is a no. `status` where the number has two meanings."""

    def __init__(self, code: Code, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.status = _STATUS.get(code, 503) if status is None else status


def entry(code: Code, message: str) -> dict[str, int | str]:
    """A code and its words, as they stand in a result."""
    return {"code": int(code), "message": message}


def wrapped(code: Code, message: str, *, status: int | None = None) -> JSONResponse:
    """`{"result": {"code", "message"}}`."""
    return JSONResponse(
        {"result": entry(code, message)}, status_code=_STATUS.get(code, 503) if status is None else status
    )
