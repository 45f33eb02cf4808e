"""Run an ffmpeg that decodes somebody's film: within the farm's limits, and what it says is said in our words."""

import threading
from collections.abc import Callable, Sequence

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.media.complaints import meaning_of
from omkt_pipeline.media.process import Finished, ProcessLimits, Reach, ToolExited, run

#: ffmpeg's exit status when more of a source cannot be decoded than `-max_error_rate` allows (fftools/ffmpeg.c).
_TOO_MANY_DECODE_ERRORS = 69


def decode(
    argv: Sequence[str],
    *,
    limits: Limits,
    wall_seconds: float,
    threads: int,
    reach: Reach,
    stop: threading.Event,
    on_line: Callable[[str], bool],
) -> Finished:
    """Run it to its end. It may take the processor time of as many `threads` all the while, and writes nothing where it
    has no place to write.

    Raises SourceError for what is wrong with the source, ToolError for what is not.
    """
    confined = ProcessLimits(
        wall_seconds=wall_seconds,
        stall_seconds=limits.stall_seconds,
        cpu_seconds=int(wall_seconds * max(1, threads)),
        memory_bytes=limits.encode_memory_bytes,
        file_bytes=limits.max_file_bytes if reach.writes else 0,
    )
    try:
        return run(argv, limits=confined, reach=reach, stop=stop, on_line=on_line)
    except ToolExited as error:
        if error.status == _TOO_MANY_DECODE_ERRORS:
            raise SourceError(
                "The source is damaged: more than half of it cannot be decoded.",
                code="source_damaged",
                log_tail=error.log_tail,
            ) from error
        raise meaning_of(error.log_tail or "") or error from error
