"""Stills: one short run of ffmpeg for each, so that memory and time stay small whatever the source is."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.recipe import EncodeStills, Still
from omkt_pipeline.media.complaints import meaning_of
from omkt_pipeline.media.process import Finished, ProcessLimits, Reach, ToolExited, run
from omkt_pipeline.media.stills_argv import still_argv
from omkt_pipeline.media.tools import Tools


def take_stills(
    recipe: EncodeStills,
    source: Path,
    target: Path,
    *,
    tools: Tools,
    limits: Limits,
    stop: threading.Event,
    report: Callable[[float], None],
) -> tuple[float, int, dict[str, Any]]:
    """Take every still; return CPU seconds, peak memory and the images by name. Raises SourceError when none is there."""
    cpu_seconds, peak, images = 0.0, 0, dict[str, Any]()
    for number, still in enumerate(recipe.stills):
        made, best, best_at = target / f"{still.name}.jpg", b"", 0.0
        # Where the wanted moments cannot be reached, an earlier one will do, and at last the first frame.
        for at in (still.at, *still.also_at, still.at / 2, 0.0):
            if best and at not in still.also_at:
                break
            argv = still_argv(recipe, still, source, target, tools=tools, limits=limits, at=at)
            finished = _run(argv, Reach(reads=(source,), writes=(target,)), limits, stop, last_chance=at == 0.0)
            cpu_seconds, peak = cpu_seconds + finished.cpu_seconds, max(peak, finished.peak_rss)
            # At one quality the larger file has more in it: black and blur take few bytes.
            found = made.read_bytes() if made.is_file() else b""
            made.unlink(missing_ok=True)
            if len(found) > len(best):
                best, best_at = found, at
        if not best:
            raise SourceError("No picture could be decoded.", code="source_damaged", log_tail=finished.stderr_tail)
        made.write_bytes(best)
        images[still.name] = _image(still, best_at)
        report((number + 1) / len(recipe.stills))
    return cpu_seconds, peak, images


def _run(argv: list[str], reach: Reach, limits: Limits, stop: threading.Event, *, last_chance: bool) -> Finished:
    confined = ProcessLimits(
        wall_seconds=limits.stall_seconds,
        cpu_seconds=int(limits.stall_seconds),
        memory_bytes=limits.encode_memory_bytes,
        file_bytes=limits.max_file_bytes,
    )
    try:
        return run(argv, limits=confined, reach=reach, stop=stop)
    except ToolExited as error:
        meaning = meaning_of(error.log_tail or "") or error
        if last_chance or (meaning.retryable and meaning is not error):
            raise meaning from error
        return Finished(stdout=b"", stderr_tail=error.log_tail or "", cpu_seconds=0.0, peak_rss=0)


def _image(still: Still, at: float) -> dict[str, Any]:
    return {"at": round(at, 3), "width": still.width, "height": still.height}
