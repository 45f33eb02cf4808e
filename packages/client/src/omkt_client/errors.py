"""What can go wrong between a client and a farm."""

from collections.abc import Sequence
from dataclasses import dataclass


class ClientError(Exception):
    """Any of them."""


class Unreachable(ClientError):
    """The farm does not answer, or not yet."""


class Misunderstood(ClientError):
    """Something answered, but not as an OpenMediaKit farm does."""


@dataclass(frozen=True, kw_only=True)
class FieldFault:
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(ClientError):
    """The farm refused, and says why (RFC 9457). docs/errors.md explains every `code`."""

    def __init__(
        self,
        detail: str,
        *,
        status: int,
        code: str,
        faults: Sequence[FieldFault] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{detail} [{code}]")
        self.detail = detail
        self.status = status  #: HTTP
        self.code = code  #: stable, for programs
        self.faults = tuple(faults)
        self.retry_after = retry_after  #: seconds, where the farm names them
