"""What ffmpeg's -progress lines tell: how far the media has come."""

from collections.abc import Callable


class Progress:
    """Reads `-progress` lines; knows whether the media moved on, and how many frames there are."""

    def __init__(self, duration: float, report: Callable[[float], None]) -> None:
        self._duration, self._report = duration, report
        self.seconds = 0.0  #: of media written
        self.frames = 0

    def take(self, line: str) -> bool:
        """Read one line; return whether it shows progress of the media itself."""
        name, _, value = line.strip().partition("=")
        if name == "frame":
            return self._moved_to(frames=_number(value))
        if name in ("out_time_us", "out_time_ms"):  # both are microseconds
            return self._moved_to(seconds=_number(value) / 1e6)
        return False

    def _moved_to(self, *, frames: float = 0, seconds: float = 0.0) -> bool:
        moved = frames > self.frames or seconds > self.seconds
        self.frames = max(self.frames, int(frames))
        self.seconds = max(self.seconds, seconds)
        if moved and self._duration > 0:
            self._report(min(1.0, self.seconds / self._duration))
        return moved


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0  # N/A before the first frame
