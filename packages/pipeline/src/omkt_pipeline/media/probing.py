"""Ask ffprobe about a source: what is in it, and does it really go on to the end that its header promises?"""

import json
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from omkt_pipeline.domain.errors import SourceError, ToolError
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import MediaFacts
from omkt_pipeline.media import matroska_blocks, sample_tables, transport_extent
from omkt_pipeline.media.complaints import NOT_MEDIA, probe_meaning_of
from omkt_pipeline.media.extent import CLOCK_MAY_JUMP, TIMELESS, Extent, measured
from omkt_pipeline.media.facts import facts_from, kept, lasting, numbers
from omkt_pipeline.media.outer_sizes import bytes_missing
from omkt_pipeline.media.process import ProcessLimits, Reach, ToolExited, ToolKilled, run
from omkt_pipeline.media.source import guards, opened
from omkt_pipeline.media.tools import Tools

#: Packets to decode: enough to see sizes, fields and colours, few enough for a tenth of a second.
_FIRST_PACKETS = 60
_TAIL_SECONDS = 15.0
#: Bytes a second that even a busy share reads.
_SLOWEST_BYTES = 5e6
_CPU_SHARE = 0.8
#: What ends a tool that broke on its input. It would break again on another host.
_BROKE = {signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP}


def probe(
    path: Path, *, tools: Tools, limits: Limits, stop: threading.Event | None = None
) -> tuple[MediaFacts, dict[str, Any]]:
    """Facts of a source and ffprobe's own words. Raises SourceError for what is not usable media."""
    size = path.stat().st_size
    if size == 0:
        raise SourceError("The file is empty.", code="source_empty")
    words = [
        "-show_format",
        "-show_streams",
        "-show_chapters",
        "-show_frames",
        "-read_intervals",
        f"%+#{_FIRST_PACKETS}",
    ]
    try:
        answer = _ask(
            path, [*guards(limits, probing=True), *words, "-of", "json", "-i", f"file:{path}"], tools, limits, stop
        )
    except SourceError as error:
        if error.code == "source_truncated" and not _begins_like_mp4(path):
            # ffprobe went by the name.
            raise SourceError(NOT_MEDIA, code="source_not_media", log_tail=error.log_tail) from error
        raise
    raw = json.loads(answer or "{}")
    facts = facts_from(raw, size=size)
    _refuse_by_header(facts, limits)
    extent = _written(path, facts, raw, stop) or _counted(path, facts, tools=tools, limits=limits, stop=stop)
    facts = measured(facts, extent, missing=bytes_missing(path, facts.demuxer))
    _refuse_by_length(facts, limits)
    return facts, kept(raw)


def _refuse_by_header(facts: MediaFacts, limits: Limits) -> None:
    """Refuse what cannot be used whatever the rest of the file holds. Raises SourceError."""
    if not facts.video and not facts.audio:
        if "encrypted" in facts.unusable:
            raise SourceError("The source is encrypted.", code="source_encrypted")
        if facts.unusable:
            raise SourceError(f"We do not decode {', '.join(facts.unusable)}.", code="source_unsupported")
        raise SourceError("The source holds neither picture nor sound.", code="source_no_tracks")
    for track in facts.video:
        if track.width * track.height > limits.max_pixels:
            raise SourceError(
                f"The picture has {track.width}x{track.height} pixels; this farm takes at most {limits.max_pixels}.",
                code="source_too_large",
            )
    if any(track.channels > limits.max_channels for track in facts.audio):
        raise SourceError(f"A sound track has more than {limits.max_channels} channels.", code="source_too_large")


def _refuse_by_length(facts: MediaFacts, limits: Limits) -> None:
    if facts.duration is not None and facts.duration > limits.max_duration_seconds:
        raise SourceError(
            f"The source lasts {facts.duration / 3600:.1f} hours; this farm takes at most "
            f"{limits.max_duration_seconds / 3600:.0f}.",
            code="source_too_long",
        )


def _written(path: Path, facts: MediaFacts, raw: dict[str, Any], stop: threading.Event | None) -> Extent | None:
    """Where each track of a film really ends and which frames it has, where its container says it plainly."""
    match facts.demuxer:
        case "mov":
            return sample_tables.extent_of(path, facts)
        case "matroska" if facts.video:
            return matroska_blocks.extent_of(path, facts, lasting(raw), stop=stop)
        case "mpegts":
            return transport_extent.extent_of(path, facts, lasting(raw), numbers(raw), stop=stop)
    return None


def _counted(path: Path, facts: MediaFacts, *, tools: Tools, limits: Limits, stop: threading.Event | None) -> Extent:
    """The same from every packet. Of sound alone, the last seconds tell, if there are any."""
    ask = ["-show_entries", "packet=stream_index,pts_time,dts_time,duration_time,flags", "-of", "csv=p=0"]
    source = opened(path, facts.demuxer, limits, probing=True)
    sounds = frozenset(track.index for track in facts.audio)
    if not facts.video and facts.duration is not None and facts.duration > 2 * _TAIL_SECONDS:
        tail = Extent(whole=False, sounds=sounds)
        begin = f"{facts.start + facts.duration - _TAIL_SECONDS:.3f}%"
        _ask(path, ["-read_intervals", begin, *ask, *source], tools, limits, stop, tail.take)
        if tail.ends:
            return tail
    used = sounds.union(track.index for track in facts.video[:1])
    jumping = used if facts.demuxer in CLOCK_MAY_JUMP else frozenset()
    everything = Extent(whole=True, jumping=jumping, sounds=sounds, timeless=facts.demuxer in TIMELESS)
    _ask(path, [*ask, *source], tools, limits, stop, everything.take, more_seconds=facts.bytes / _SLOWEST_BYTES)
    return everything


def _begins_like_mp4(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(8)[4:] in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")


def _ask(
    path: Path,
    words: Sequence[str],
    tools: Tools,
    limits: Limits,
    stop: threading.Event | None,
    on_line: Callable[[str], bool] | None = None,
    *,
    more_seconds: float = 0.0,
) -> str:
    argv = [str(tools.ffprobe), "-hide_banner", "-v", "error", *words]
    confined = ProcessLimits(
        wall_seconds=limits.probe_seconds + more_seconds,
        # Less than the wall: whoever calculates so long is hostile, whoever waits so long may have a dead disk.
        cpu_seconds=max(1, int((limits.probe_seconds + more_seconds) * _CPU_SHARE)),
        memory_bytes=limits.probe_memory_bytes,
        file_bytes=0,
        stdout_bytes=64 << 20,
    )
    try:
        return run(argv, limits=confined, reach=Reach(reads=(path,)), stop=stop, on_line=on_line).stdout.decode(
            errors="replace"
        )
    except ToolExited as error:
        raise probe_meaning_of(error.log_tail or "") from error
    except ToolKilled as error:
        if error.by == signal.SIGXCPU:
            raise SourceError(
                "Reading the source takes more time than this farm gives.",
                code="source_too_complex",
                log_tail=error.log_tail,
            ) from error
        if error.by in _BROKE:
            raise SourceError(
                "The source is damaged in a way that breaks its reader.", code="source_damaged", log_tail=error.log_tail
            ) from error
        raise
    except ToolError as error:
        if error.code == "tool_noisy":
            raise SourceError("The source is too intricate to be read.", code="source_too_complex") from error
        raise
