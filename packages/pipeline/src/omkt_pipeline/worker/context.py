"""What a handler is given: one attempt and everything it may use."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from omkt_pipeline.domain.effects import Settlement
from omkt_pipeline.domain.errors import Stopped
from omkt_pipeline.domain.task import Artifact, Task
from omkt_pipeline.storage.share import Share, Taken


@dataclass(frozen=True, kw_only=True)
class TaskContext:
    """One attempt. A handler that sees `stop` set raises Stopped soon; what it left in `scratch` is removed for it."""

    task: Task
    share: Share
    scratch: Path  #: a local, empty folder of this attempt alone
    threads: int  #: CPU threads that this attempt may use
    stop: threading.Event  #: set when the attempt must end: cancelled, lease lost, worker stopping
    report: Callable[[float], None]  #: progress as a fraction 0..1; cheap, call it often

    def keep(self, made: Path, folder: str, taken: Iterable[Taken] = ()) -> tuple[Artifact, ...]:
        """Copy what was made to the share as the new folder `folder`, with files that lie in other folders `taken` into it.

        Raises Stopped, ShareUnusable; then nothing is there.
        """

        def go_on(_copied: int) -> None:
            if self.stop.is_set():
                raise Stopped

        return self.share.store(made, folder, taken=taken, on_bytes=go_on)


Handler = Callable[[TaskContext], Settlement]
