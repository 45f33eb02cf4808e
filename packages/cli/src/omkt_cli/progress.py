"""Showing that something goes on: a bar on a terminal, a line now and then elsewhere."""

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from omkt_cli.terminal import notes, one_line, say

#: Without a terminal, progress is told in steps of this size.
_STEP = 0.25
_WORDS = {
    "fetch": "fetching", "concat": "joining", "probe": "probing", "measure": "measuring", "extract": "planning",
    "plan": "planning", "encode": "encoding", "package": "packaging",
}  # fmt: skip


class Bar:
    """One bar that goes through the stages of one piece of work. `quiet` shows nothing."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._told: tuple[str, int] = ("", 0)
        self._task: TaskID | None = None
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=32),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=notes(),
            transient=True,
            disable=quiet or not notes().is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._progress.stop()

    def show(self, stage: str, part: float | None = None) -> None:
        """Where the work stands: what is done now, and how much of it (0 to 1; None: nobody knows)."""
        words = one_line(_WORDS.get(stage, stage))
        if self._quiet:
            return
        if not notes().is_terminal:
            self._tell(words, part)
            return
        total = None if part is None else 1.0
        if self._task is None:
            self._task = self._progress.add_task(words.ljust(24), total=total)
        self._progress.update(self._task, description=words.ljust(24), total=total, completed=part or 0.0)

    def _tell(self, words: str, part: float | None) -> None:
        told = (words, int((part or 0.0) / _STEP))
        if told != self._told:
            self._told = told
            say(words if not part else f"{words}, {part:.0%}")
