"""Where a long film is cut into chunks that all hosts encode, or why it is not cut.

A chunk is a range of frames of the renditions' constant rate that begins on the grid of their key frames, or of their
segments where they are left cut into those. Whatever is read
before its first frame is thrown away by timestamp, so a chunk holds exactly the frames that encoding the whole would have
made there. The key frames of the source say where reading may begin.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm

from omkt_pipeline.domain.capacity import Capacity, ChunkRules
from omkt_pipeline.domain.media import MediaFacts, VideoTrack
from omkt_pipeline.domain.plan import Decision
from omkt_pipeline.domain.recipe import Chunk, EncodeVideo

#: A chunk is one slot's share of what is left, divided by this (guided self-scheduling): the last ones are so short that no
#: slot waits long for another, and when one host is slower, others take more of them.
_CAUTION = 2
_CAUTION_UNEVEN = 4
#: CPU seconds below which starting ffmpeg and reading up to the first frame weigh more than one percent or so.
_LEAST_COST = 5.0
#: A cut may move by this part of a chunk to lie just behind a key frame of the source.
_PLAY = 0.3
#: Seconds; what saves less of reading is not worth a move.
_LITTLE = 0.5
#: What is encoded so that the same settings give the same decoder's header on any host, and is staged in MP4.
_JOINED = frozenset({"h264", "hevc", "vp9", "av1"})
_STATELESS = frozenset(
    {"hevc", "av1", "vp8", "vp9", "mpeg1video", "mpeg2video", "prores", "dnxhd", "mjpeg", "dvvideo", "rawvideo"}
)
#: Containers with an index of key frames: seeking to one lands on it.
_INDEXED = frozenset({"mov", "matroska"})
#: Containers that are searched by time: reading begins well before the key frame.
_SEARCHED = frozenset({"mpegts", "mpeg"})
_SEARCH_LEAD = 1.0
#: A deinterlacer looks at the frames around each frame.
_NEIGHBOURS = 0.5
#: Written seeks are rounded; this much later is still before the next frame.
_ROUNDING = 0.0005
#: A picture that begins later than this behind the sound: what is shown before it is for one encode to decide.
_LATE = 1.0


@dataclass(frozen=True, kw_only=True)
class Cutting:
    """The chunks of a film, at least two, or none when it is encoded whole; and the reason."""

    chunks: tuple[Chunk, ...]
    decision: Decision


def cut(
    facts: MediaFacts,
    track: VideoTrack,
    recipe: EncodeVideo,
    *,
    cost: float,
    capacity: Capacity,
    rules: ChunkRules,
) -> Cutting:
    """Cut the film of a recipe, which costs so many CPU seconds to encode, on the grid of its key frames."""
    rate, seconds = Fraction(recipe.rate), recipe.input.duration
    grid = lcm(*(rendition.segment_frames or rendition.gop_frames for rendition in recipe.renditions))
    at = _ideal_cuts(seconds, cost, capacity, rules)
    obstacle = _obstacle(facts, track, recipe, at, capacity)
    if obstacle is not None:
        return Cutting(chunks=(), decision=obstacle)
    keys, begins = _keys(facts, track)
    lead = _lead(facts, track)
    firsts = _cuts(keys, at, rate=rate, grid=grid, lead=lead)
    if not firsts:
        return Cutting(chunks=(), decision=_whole("no_index", "its key frames are too far apart"))
    starts = [(0, None), *((first, _seek(keys, begins, first, rate, facts, lead)) for first in firsts)]
    ends = [*firsts, None]
    chunks = tuple(
        Chunk(number=number, first=first, frames=None if end is None else end - first, seek=seek)
        for number, ((first, seek), end) in enumerate(zip(starts, ends, strict=True))
    )
    hosts = "one host" if capacity.hosts == 1 else f"{capacity.hosts} hosts"
    return Cutting(
        chunks=chunks,
        decision=Decision(
            code="chunked",
            message=f"The film is cut into {len(chunks)} chunks of about {seconds / len(chunks):.0f} s, longer ones first, "
            f"which {capacity.slots} slots on {hosts} encode side by side.",
        ),
    )


def part_of(facts: MediaFacts, track: VideoTrack, rate: Fraction, first: int, frames: int | None) -> Chunk:
    """A range of frames as one chunk: what a film is of which only a part is wanted."""
    seekable = (
        facts.demuxer in _INDEXED | _SEARCHED and track.clock_fault is None and track.start - facts.start <= _LATE
    )
    seek = None
    if first and seekable and _decodes_from_anywhere(track):
        keys, begins = _keys(facts, track)
        seek = _seek(keys, begins, first, rate, facts, _lead(facts, track))
    return Chunk(number=0, first=first, frames=frames, seek=seek)


def _keys(facts: MediaFacts, track: VideoTrack) -> tuple[list[float], list[float]]:
    """Seconds from the file's beginning of the key frames behind which one may cut, and where reading begins for each."""
    # Behind a key frame of an open group may lie pictures, shown later, that still need what lies before it, whatever the
    # standard says: there reading begins one key frame earlier.
    times = track.key_times[:-1] if track.open_groups else track.key_times
    begins = [time - facts.start for time in times]
    keys = [time - facts.start for time in track.key_times[len(track.key_times) - len(times) :]]
    return keys, begins


def _obstacle(
    facts: MediaFacts, track: VideoTrack, recipe: EncodeVideo, at: Sequence[float], capacity: Capacity
) -> Decision | None:
    """Why this film is better, or only safely, encoded whole."""
    seconds, codecs = recipe.input.duration, {rendition.codec for rendition in recipe.renditions}
    obstacles = (
        (capacity.slots < 2, "one_slot", "one slot encodes on this farm"),
        (len(at) < 3, "short", f"{seconds:.0f} s are too short to be cut"),
        (not codecs <= _JOINED, "codec", f"chunks of {', '.join(sorted(codecs - _JOINED))} are not joined yet"),
        (not _decodes_from_anywhere(track), "decoder", f"decoding {track.codec} needs the beginning of the file"),
        (facts.demuxer not in _INDEXED | _SEARCHED, "container", f"one cannot seek exactly in {facts.demuxer}"),
        (track.clock_fault is not None, "clock", f"its timestamps {track.clock_fault}"),
        (not track.key_times, "no_index", "its key frames are not known"),
        (track.start - facts.start > _LATE, "late", "its picture begins later than the file"),
    )
    return next((_whole(code, reason) for applies, code, reason in obstacles if applies), None)


def _decodes_from_anywhere(track: VideoTrack) -> bool:
    """Whether a decoder that begins at a key frame knows all that it needs.

    ffmpeg makes up for faults of old encoders by what they wrote of themselves at the beginning of the stream: x264 of its
    4:4:4 pictures, the encoders of MPEG-4 part 2 of many things.
    """
    if track.codec == "h264":
        return "444" not in (track.pixel_format or "")
    return track.codec in _STATELESS


def _whole(code: str, reason: str) -> Decision:
    return Decision(code=f"whole_{code}", message=f"The film is encoded whole: {reason}.")


def _ideal_cuts(seconds: float, cost: float, capacity: Capacity, rules: ChunkRules) -> list[float]:
    """Where chunks would begin if a film could be cut anywhere, and its end, in seconds: none longer than the target, none
    too short to be worth its start."""
    least = max(rules.min_seconds, _LEAST_COST * seconds / max(cost, 0.001))
    parts = capacity.slots * (_CAUTION_UNEVEN if capacity.uneven else _CAUTION)
    at = [0.0]
    while at[-1] < seconds:
        left = seconds - at[-1]
        length = max(least, min(left / parts, rules.target_seconds))
        more = max(1, int(left / length)) - 1
        at.append(seconds - more * left / (more + 1))
    return at


def _lead(facts: MediaFacts, track: VideoTrack) -> float:
    """How long before a chunk's first frame the key frame must lie from which reading begins."""
    return max(_SEARCH_LEAD if facts.demuxer in _SEARCHED else 0.0, _NEIGHBOURS if track.interlaced else 0.0)


def _cuts(keys: Sequence[float], at: Sequence[float], *, rate: Fraction, grid: int, lead: float) -> list[int]:
    """The first frames of all chunks but the first; none when no cut has a key frame to begin reading from."""
    firsts: list[int] = []
    for before, here, after in zip(at, at[1:], at[2:], strict=False):
        best = _best_cut(keys, here, _PLAY * min(here - before, after - here), rate, grid, lead)
        # No further back than a chunk before: else that much would be decoded twice for nothing.
        cheap = _waste(keys, best, rate, lead) < here - before
        # A coarse grid may lead past what comes next: the film's end, too.
        if cheap and (firsts[-1] if firsts else 0) < best <= (here + 3 * after) / 4 * rate:
            firsts.append(best)
    return firsts


def _best_cut(keys: Sequence[float], at: float, play: float, rate: Fraction, grid: int, lead: float) -> int:
    """A frame on the grid at which one might cut near `at`: the nearest one, or one just behind a key frame."""
    first, last = bisect_right(keys, at - play - lead), bisect_right(keys, at + play - lead)
    behind = [ceil((key + lead) * float(rate) / grid - 0.01) * grid for key in keys[first:last]]
    return min(
        (round(at * float(rate) / grid) * grid, *behind),
        key=lambda frame: (_waste(keys, frame, rate, lead) // _LITTLE, abs(frame / float(rate) - at)),
    )


def _waste(keys: Sequence[float], first: int, rate: Fraction, lead: float) -> float:
    """Seconds that are read before this frame only to be thrown away."""
    number = _key_before(keys, first, rate, lead)
    begin = float(first / rate)
    return begin - keys[number] if number is not None else begin


def _key_before(keys: Sequence[float], first: int, rate: Fraction, lead: float) -> int | None:
    """The number of the last key frame that is early enough for this frame."""
    # A frame that is a quarter of a frame late still counts as this one: times are rounded to the nearest frame.
    before = bisect_right(keys, (first + 0.25) / float(rate) - lead)
    return before - 1 if before else None


def _seek(
    keys: Sequence[float], begins: Sequence[float], first: int, rate: Fraction, facts: MediaFacts, lead: float
) -> float | None:
    """Where reading begins, in seconds from the beginning of the file; None: at the beginning."""
    number = _key_before(keys, first, rate, lead)
    if number is None:
        return None
    begin = begins[number]
    target = begin - _SEARCH_LEAD / 2 if facts.demuxer in _SEARCHED else begin + _ROUNDING
    return round(target, 6) if target > 0 else None
