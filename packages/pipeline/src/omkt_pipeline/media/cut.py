"""A track as it was cut into segments: what its encode says of them, so that nobody needs to read them again."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from omkt_pipeline.domain.errors import VerifyError
from omkt_pipeline.domain.plan import Value
from omkt_pipeline.media.boxes import codec_string, timescale
from omkt_pipeline.media.segments import Segment, move_segment, read_segment

INIT = "init.mp4"


def segment_name(number: int) -> str:
    """The file name of a segment of a track."""
    return f"{number:05d}.m4s"


class Cut(Value):
    """The segments of one track, of a chunk of it or of the whole. Lists go by segment, times are in units of `scale`."""

    scale: int  #: units of a second
    number: int  #: of the first segment
    begins_at: int  #: decode time of the first sample
    shown_at: int  #: when the first picture is shown
    step: int | None  #: from picture to picture when it is always the same
    codec: str | None  #: RFC 6381 name of a picture
    bytes: tuple[int, ...]
    samples: tuple[int, ...]
    lengths: tuple[int, ...]
    key_frame_bytes: tuple[int | None, ...]  #: from the beginning of the file to the end of its first frame

    @property
    def names(self) -> tuple[str, ...]:
        """Of the files, in their order."""
        return tuple(segment_name(self.number + place) for place in range(len(self.bytes)))

    @property
    def seconds(self) -> tuple[float, ...]:
        """Length of each segment."""
        return tuple(length / self.scale for length in self.lengths)

    @property
    def starts(self) -> tuple[Fraction, ...]:
        """Seconds at which the segments begin."""
        ends = accumulate(self.lengths, initial=self.begins_at)
        return tuple(Fraction(begin, self.scale) for begin in tuple(ends)[:-1])

    @property
    def ends_at(self) -> int:
        """When the last sample ends by the clock of decoding."""
        return self.begins_at + sum(self.lengths)


def cut_of(facts: Mapping[str, Any]) -> Cut | None:
    """How a rendition or sound was cut by the encode that says these facts of it; None where it was not."""
    found = facts.get("cut")
    return None if found is None else Cut.model_validate(found)


def read_cut(folder: Path, *, number: int, video: bool) -> Cut:
    """What lies in the folder of one track, with `number` for its first segment.

    Raises VerifyError when a segment is missing, does not begin where the one before it ends, or not with a key frame.
    """
    init = (folder / INIT).read_bytes()
    paths = sorted(folder.glob("*.m4s"))
    if not paths or [path.name for path in paths] != [segment_name(number + place) for place in range(len(paths))]:
        raise VerifyError(f"{folder.name}: a segment is missing.")
    segments = [read_segment(path) for path in paths]
    _check_continuity(folder.name, segments, needs_key_frames=video)
    return Cut(
        scale=timescale(init),
        number=number,
        begins_at=segments[0].begins_at,
        shown_at=segments[0].shown_at,
        step=_step(segments),
        codec=codec_string(init) if video else None,
        bytes=tuple(path.stat().st_size for path in paths),
        samples=tuple(segment.samples for segment in segments),
        lengths=tuple(segment.duration for segment in segments),
        key_frame_bytes=tuple(segment.key_frame_bytes for segment in segments),
    )


def placed(folder: Path, cut: Cut, frames_before: int) -> Cut:
    """The segments of a chunk, moved to their place behind so many frames of the film: their files are changed in place.

    Raises VerifyError (chunks_differ) when the frames do not follow each other evenly.
    """
    if not frames_before:
        return cut
    if cut.step is None:
        raise VerifyError(f"The frames of {folder.name} do not follow each other evenly.", code="chunks_differ")
    ticks = frames_before * cut.step
    for place, name in enumerate(cut.names):
        move_segment(folder / name, ticks, sequence=cut.number + place + 1)
    return cut.model_copy(update={"begins_at": cut.begins_at + ticks, "shown_at": cut.shown_at + ticks})


def joined_cuts(name: str, pieces: Sequence[Cut]) -> Cut:
    """The whole track of its chunks.

    Raises VerifyError (chunks_differ) unless every frame follows the one before it on one even clock.
    """
    first = pieces[0]
    for sooner, later in pairwise(pieces):
        step = sooner.step or 0
        follows = (
            (sooner.scale, sooner.step, sooner.codec) == (later.scale, later.step, later.codec)
            and later.begins_at == sooner.ends_at
            and later.shown_at == sooner.shown_at + sum(sooner.samples) * step
            and later.number == sooner.number + len(sooner.bytes)
        )
        if not follows or not step:
            raise VerifyError(
                f"The frames of {name} do not follow each other evenly across its chunks.", code="chunks_differ"
            )
    lists = ("bytes", "samples", "lengths", "key_frame_bytes")
    return first.model_copy(
        update={each: tuple(one for piece in pieces for one in getattr(piece, each)) for each in lists}
    )


def _check_continuity(name: str, segments: Sequence[Segment], *, needs_key_frames: bool) -> None:
    expected = segments[0].begins_at
    for number, segment in enumerate(segments):
        if segment.begins_at != expected:
            raise VerifyError(f"{name}: segment {number} does not begin where the one before it ends.")
        if needs_key_frames and not segment.begins_with_key_frame:
            raise VerifyError(f"{name}: segment {number} does not begin with a key frame.")
        expected += segment.duration


def _step(segments: Sequence[Segment]) -> int | None:
    """The time from picture to picture, when it is the same within all segments and from each to the next."""
    steps = {segment.step for segment in segments}
    step = steps.pop() if len(steps) == 1 else None
    if step is None:
        return None
    even = all(later.shown_at == sooner.shown_at + sooner.samples * step for sooner, later in pairwise(segments))
    return step if even else None
