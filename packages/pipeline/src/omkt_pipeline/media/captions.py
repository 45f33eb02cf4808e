"""WebVTT (https://www.w3.org/TR/webvtt1/): titles of our own ffmpeg are read, and written whole or cut into segments for HLS."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_TIMES = re.compile(r"(?:(\d+):)?(\d\d):(\d\d)\.(\d{3}) --> (?:(\d+):)?(\d\d):(\d\d)\.(\d{3})(?:[ \t]+(.*))?$")
#: RFC 8216, 3.5: how the clock of the titles lies on that of the pictures. Both begin at 0.
_MAP = "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"


@dataclass(frozen=True, kw_only=True)
class Cue:
    """One title."""

    begin: int  #: milliseconds
    end: int  #: milliseconds
    text: str  #: lines, none of them empty
    where: str = ""  #: settings of its position


def read_cues(text: str) -> tuple[Cue, ...]:
    """The titles of a WebVTT file in the order of their beginning. What is none (notes, styles, damage) is passed over.

    A source's text may hold anything, so a line that could begin a block of its own is taken out of it.
    """
    cues = []
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")):
        lines = block.strip("\n").split("\n")
        at = next((number for number, line in enumerate(lines[:2]) if _TIMES.match(line)), None)
        if at is None:
            continue
        begin, end, where = _times(lines[at])
        said = "\n".join(line for line in lines[at + 1 :] if line.strip() and "-->" not in line)
        if said and end > begin:
            cues.append(Cue(begin=begin, end=end, text=said, where=where))
    return tuple(sorted(cues, key=lambda cue: (cue.begin, cue.end)))


def webvtt(cues: Iterable[Cue], *, mapped: bool = False) -> str:
    """A WebVTT file; `mapped`: a segment of an HLS rendition."""
    head = f"WEBVTT\n{_MAP}\n" if mapped else "WEBVTT\n"
    return "\n".join((head, *(_written(cue) for cue in cues)))


def segments_of(cues: Sequence[Cue], *, seconds: float, length: float) -> tuple[tuple[Cue, ...], ...]:
    """The titles of each `seconds` of a presentation of `length` seconds: one that crosses a border is in both parts."""
    step = max(1, round(seconds * 1000))
    count = max(1, -(-round(length * 1000) // step))
    found: list[list[Cue]] = [[] for _ in range(count)]
    for cue in cues:
        for number in range(min(cue.begin // step, count), min((cue.end - 1) // step + 1, count)):
            found[number].append(cue)
    return tuple(tuple(some) for some in found)


def within(cues: Iterable[Cue], length: float | None, *, begin: float = 0.0) -> tuple[Cue, ...]:
    """The titles that are shown from `begin` on for `length` seconds, by a clock that begins there."""
    shift = round(begin * 1000)
    end = round(length * 1000) if length is not None else None
    moved = (
        Cue(begin=max(0, cue.begin - shift), end=cue.end - shift if end is None else min(cue.end - shift, end),
            text=cue.text, where=cue.where)
        for cue in cues
    )  # fmt: skip
    return tuple(cue for cue in moved if cue.begin < cue.end)


def board_cues(
    *, apart: float, count: int, length: float, columns: int, rows: int, width: int, height: int, name: str
) -> str:
    """A WebVTT file whose titles are parts of sheets NAME-001.jpg…, as players read it: SHEET#xywh=x,y,width,height."""
    cues = []
    for number in range(count):
        sheet, place = divmod(number, columns * rows)
        row, column = divmod(place, columns)
        end = length if number == count - 1 else apart * (number + 1)
        where = f"{name}-{sheet + 1:03d}.jpg#xywh={column * width},{row * height},{width},{height}"
        cues.append(
            Cue(begin=round(apart * number * 1000), end=round(max(end, apart * number + 0.001) * 1000), text=where)
        )
    return webvtt(cues)


def _times(line: str) -> tuple[int, int, str]:
    found = _TIMES.match(line)
    assert found is not None  # noqa: S101 - the caller has matched it
    numbers = [int(number or 0) for number in found.groups()[:8]]
    begin, end = (
        ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths
        for hours, minutes, seconds, thousandths in (numbers[:4], numbers[4:])
    )
    return begin, end, (found[9] or "").strip()


def _written(cue: Cue) -> str:
    where = f" {cue.where}" if cue.where else ""
    return f"{_clock(cue.begin)} --> {_clock(cue.end)}{where}\n{cue.text}\n"


def _clock(milliseconds: int) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{thousandths:03d}"
