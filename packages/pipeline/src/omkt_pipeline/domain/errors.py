"""Everything that can go wrong, as a tree.

OmktError
├── Refused            the client asked for something we will not do; nothing was stored
│   ├── NotFound
│   ├── Conflict
│   └── TooLarge
├── SourceError        the media itself is the problem; trying again cannot help
├── FetchError         the source's address is the problem; trying again cannot help
├── ToolError          ffmpeg or ffprobe ended badly; another try may help
├── Unavailable        the database, the share or a remote server did not answer; trying again helps
│   └── ShareUnusable  the share is not mounted, not ours, full or read-only
├── ResultLost         what earlier tasks left for this one is gone; they are done again first
├── VerifyError        what was made is not what was planned; another try may help
├── LeaseLost          somebody else owns this task now; stop without a trace
└── Stopped            this attempt was told to stop (cancel, drain); not a failure

Every error carries a stable `code` (docs/errors.md lists them) and a sentence for people.
"""

from collections.abc import Collection
from typing import ClassVar


class OmktError(Exception):
    """Something went wrong, and this says what."""

    code: str = "internal"
    #: Whether another attempt of the same task can end differently.
    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None, *, code: str | None = None, log_tail: str | None = None) -> None:
        self.message = message or (self.__doc__ or "").strip()
        if code is not None:
            self.code = code
        #: The end of a tool's own words, for the attempt's record; never shown to clients as the reason.
        self.log_tail = log_tail
        super().__init__(self.message)


class Refused(OmktError):
    """The request cannot be accepted as it stands."""

    code = "refused"


class NotFound(Refused):
    """There is no such thing, or it is not yours."""

    code = "not_found"


class Conflict(Refused):
    """The present state does not allow this."""

    code = "conflict"


class TooLarge(Refused):
    """The request is larger than this farm accepts."""

    code = "too_large"


class SourceError(OmktError):
    """The source cannot be used."""

    code = "source_unreadable"


class FetchError(OmktError):
    """The source's address cannot be used."""

    code = "fetch_failed"


class ToolError(OmktError):
    """A media tool ended badly."""

    code = "tool_failed"
    retryable = True


class Unavailable(OmktError):
    """Something this needs did not answer."""

    code = "unavailable"
    retryable = True


class ShareUnusable(Unavailable):
    """The share is not mounted, not this farm's, full or read-only."""

    code = "share_unusable"


class ResultLost(OmktError):
    """What earlier tasks left for this one is not on the share any more; `names` are theirs in the plan, unless they are
    being done again already."""

    code = "result_lost"
    retryable = True

    def __init__(self, names: Collection[str], *, under_way: bool = False) -> None:
        super().__init__(f"What {', '.join(sorted(names))} had made is not on the share any more. It is made again.")
        self.names = frozenset(() if under_way else names)


class VerifyError(OmktError):
    """What was made is not what was planned."""

    code = "verify_failed"
    retryable = True


class LeaseLost(OmktError):
    """Somebody else owns this task now."""

    code = "lease_lost"


class Stopped(OmktError):
    """This attempt was told to stop."""

    code = "stopped"
