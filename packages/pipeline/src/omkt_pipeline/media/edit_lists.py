"""Which samples of an MP4 track are shown, and when: the sample tables put in order by the track's edit list.

The rules are those by which libavformat reads such files (mov.c), since its times are what all our tools work with: a film is
read from the key frame before an edit, sound from a second before it, to the first key frame behind its end.
Edit lists: ISO/IEC 14496-12, 8.6.6.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import add, sub
from typing import NamedTuple

EMPTY = -1  #: the media time of an edit that shows nothing


class Edit(NamedTuple):
    """One row of an edit list, in units of the track's clock."""

    length: int
    begins: int  #: media time; EMPTY for none


@dataclass(frozen=True, kw_only=True)
class Samples:
    """The samples of one track in decoding order, in units of its clock."""

    clock: int  #: units per second
    sound: bool
    decoded: Sequence[int]
    #: By how much each is shown later than it is decoded; empty when none is. Never negative: `lead` was added.
    offsets: Sequence[int]
    lead: int  #: how much earlier decoding begins because some offsets in the file are negative
    keys: Sequence[int]  #: numbers of the key frames, rising
    last: int  #: how long the last one lasts

    @cached_property
    def shown(self) -> Sequence[int]:
        """When each is shown."""
        return list(map(add, self.decoded, self.offsets)) if self.offsets else self.decoded

    @cached_property
    def lengths(self) -> Sequence[int]:
        """How long each lasts."""
        return [*map(sub, self.decoded[1:], self.decoded), self.last]


class Shown(NamedTuple):
    """The packets that a reader of the track gets: times in units of its clock."""

    numbers: list[int]
    decoded: list[int]
    visible: bool  #: whether any of them is shown


def shown(samples: Samples, edits: Sequence[Edit]) -> Shown:
    """The samples that a reader gets, with the times that it gives them."""
    if not edits or not samples.decoded:
        return Shown(list(range(len(samples.decoded))), list(samples.decoded), bool(samples.decoded))
    return _Editing(samples).all_of(edits)


class _Editing:
    """The state that goes from one edit to the next."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._keys = frozenset(samples.keys)
        self._latest = max(samples.offsets, default=0)
        self._numbers: list[int] = []
        self._decoded: list[int] = []
        self._first_shown: int | None = None
        self._visible = False

    def all_of(self, edits: Sequence[Edit]) -> Shown:
        at = -self._samples.lead
        empty = 0
        for edit in edits:
            if edit.begins == EMPTY and not self._numbers:
                empty += edit.length
            else:
                self._one(edit, at)
            at += edit.length
        late = 0 if self._samples.sound else (self._first_shown or 0) - empty
        decoded = [time - late for time in self._decoded] if late > 0 else self._decoded
        return Shown(self._numbers, decoded, self._visible)

    def _one(self, edit: Edit, at: int) -> None:
        """The samples of one edit, the first of which is decoded at `at`."""
        samples, end = self._samples, edit.begins + edit.length
        before: list[int] = []  # how long the samples last that are read before the edit begins
        begun = second = False
        earliest = not self._numbers
        number, beyond = self._beginning(edit), len(samples.decoded)
        while number < beyond:
            if begun and edit.begins <= samples.decoded[number]:
                number, at = self._plain(number, end, at)
            time = samples.shown[number]
            # The last one of all lasts as long as the edit.
            lasts = samples.lengths[number] if number + 1 < beyond else edit.length
            if edit.begins <= time < end:
                first = at + time - samples.decoded[number]
                self._first_shown = first if self._first_shown is None else min(self._first_shown, first)
                begun = self._visible = begun or self._begin(at, before)
            elif samples.sound and time < edit.begins < time + lasts and earliest:
                at -= edit.begins - time
                begun = self._visible = begun or self._begin(at, before)
            elif not begun:
                before.append(lasts)
            self._numbers.append(number)
            self._decoded.append(at)
            at += lasts if begun else 0
            if time + lasts >= end and (samples.sound or number in self._keys):
                # Behind the first key frame after an edit there may be pictures that are shown before it.
                if not samples.offsets or samples.sound or second:
                    break
                second = True
            number += 1

    def _plain(self, begin: int, end: int, at: int) -> tuple[int, int]:
        """Take at once what lies wholly inside an edit, for which nothing has to be decided: nearly all of a long film.

        `begin` is decoded at `at`. Gives the first sample that is not taken, and when it is decoded.
        """
        samples = self._samples
        beyond = bisect_left(samples.decoded, end - self._latest, begin) - 2
        if beyond <= begin:
            return begin, at
        late = at - samples.decoded[begin]
        taken = samples.decoded[begin:beyond]
        self._numbers += range(begin, beyond)
        self._decoded += [time + late for time in taken] if late else taken
        first = late + min(samples.shown[begin:beyond])
        self._first_shown = first if self._first_shown is None else min(self._first_shown, first)
        return beyond, samples.decoded[beyond] + late

    def _begin(self, at: int, before: list[int]) -> bool:
        """Give the samples before an edit times that lead up to it."""
        for back, lasts in enumerate(reversed(before), start=1):
            at -= lasts
            self._decoded[-back] = at
        return True

    def _beginning(self, edit: Edit) -> int:
        """The sample from which an edit is read: the nearest one before it from which decoding may begin."""
        samples = self._samples
        wanted = max(edit.begins - samples.clock, samples.decoded[0]) if samples.sound else edit.begins
        number = bisect_right(samples.decoded, wanted - samples.lead) - 1
        keys = samples.keys
        place = bisect_right(keys, number) - 1
        while place >= 0 and samples.shown[keys[place]] > wanted:
            place -= 1
        return keys[place] if place >= 0 else 0
