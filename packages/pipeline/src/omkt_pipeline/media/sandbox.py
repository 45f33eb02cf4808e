"""What this kernel can put around each ffmpeg and ffprobe, looked at once at start. `confine` is what does it."""

from dataclasses import dataclass

from omkt_pipeline.domain.errors import Unavailable
from omkt_pipeline.media import confine


@dataclass(frozen=True, kw_only=True)
class Layers:
    """The layers of the sandbox, beside the limits that every child has."""

    landlock: int  #: its version; 0: none
    seccomp: bool

    @property
    def level(self) -> int:
        """How many of the two are there."""
        return bool(self.landlock) + self.seccomp

    def __str__(self) -> str:
        files = f"its own files alone (Landlock {self.landlock})" if self.landlock else "any file (no Landlock)"
        network = "no network (seccomp)" if self.seccomp else "sockets (no seccomp)"
        return f"Each ffmpeg has {files} and {network}."


def checked(*, required: bool, found: Layers | None = None) -> Layers:
    """The layers of this kernel. Raises Unavailable (sandbox_missing) when all are required and one lacks."""
    layers = found or Layers(landlock=confine.landlock_version(), seccomp=confine.filters_calls())
    if required and layers.level < 2:
        raise Unavailable(
            f"{layers} OMKT_SANDBOX_REQUIRED asks for both: use Linux 5.13 or later with Landlock (`lsm=` of the kernel's "
            "command line) and seccomp, or do without.",
            code="sandbox_missing",
        )
    return layers
