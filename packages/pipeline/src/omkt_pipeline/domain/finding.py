"""What a check found: one line for the operator."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at. Fine when it has no cure."""

    subject: str  #: what was looked at, in a word or two
    found: str  #: what is the case, as a sentence
    cure: str | None = None  #: what to do about it; None when nothing is wrong

    @property
    def fine(self) -> bool:
        """Whether nothing needs to be done."""
        return self.cure is None

    def __str__(self) -> str:
        return self.found if self.cure is None else f"{self.found} {self.cure}"
