"""Cut encoded tracks into segments on local scratch, and check them: every frame once, each segment where it belongs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omkt_pipeline.domain.errors import VerifyError
from omkt_pipeline.domain.recipe import Single
from omkt_pipeline.media.cut import Cut, read_cut, segment_name
from omkt_pipeline.media.package_argv import PLAYLIST, Cutting, cuttings_of, hls_argv
from omkt_pipeline.media.segments import move_segment
from omkt_pipeline.media.tools import Tools
from omkt_transcoder.verify import DURATION_SLACK_SECONDS

#: Runs an argument vector; the paths are the files that it reads.
Run = Callable[[list[str], Sequence[Path]], None]


@dataclass(frozen=True, kw_only=True)
class ToCut:
    """How a track is cut, and what its encode says of it."""

    cutting: Cutting
    facts: Mapping[str, Any]

    @property
    def video(self) -> bool:
        return "frames" in self.facts


def cut_tracks(wanted: Sequence[ToCut], target: Path, *, tools: Tools, run: Run) -> dict[str, Cut]:
    """Cut each track into `target`/NAME; how each was cut. Raises VerifyError when that is not what was encoded."""
    for one in wanted:
        (target / one.cutting.track.name).mkdir()
    run(hls_argv([one.cutting for one in wanted], target, tools=tools), [one.cutting.track.path for one in wanted])
    return {one.cutting.track.name: _finished(one, target / one.cutting.track.name) for one in wanted}


def cut_encoded(
    recipes: Sequence[Single], facts: dict[str, Any], made: Path, *, tools: Tools, run: Run
) -> dict[str, Any]:
    """Put segments in the place of the files of an encode that is to leave them; its facts with what they are."""
    said = facts.get("renditions", {}) | facts.get("sounds", {})
    wanted = [
        ToCut(cutting=cutting, facts=said[cutting.track.name])
        for recipe in recipes
        for cutting in cuttings_of(recipe, made)
    ]
    if not wanted:
        return facts
    cuts = cut_tracks(wanted, made, tools=tools, run=run)
    for one in wanted:
        one.cutting.track.path.unlink()
    groups = {
        group: {
            name: fact | ({"cut": cuts[name].model_dump(mode="json")} if name in cuts else {})
            for name, fact in facts[group].items()
        }
        for group in ("renditions", "sounds")
        if group in facts
    }
    return facts | groups


def _finished(one: ToCut, folder: Path) -> Cut:
    (folder / PLAYLIST).unlink()
    cut = read_cut(folder, number=one.cutting.number, video=one.video)
    _check(one, cut)
    if not one.cutting.frames_before:
        return cut
    if cut.step is None:
        raise VerifyError(f"The frames of {folder.name} do not follow each other evenly.", code="chunks_differ")
    ticks = one.cutting.frames_before * cut.step
    for place in range(len(cut.bytes)):
        number = cut.number + place
        move_segment(folder / segment_name(number), ticks, sequence=number + 1)
    return cut.model_copy(update={"begins_at": cut.begins_at + ticks, "shown_at": cut.shown_at + ticks})


def _check(one: ToCut, cut: Cut) -> None:
    name, samples, planned = one.cutting.track.name, sum(cut.samples), one.facts["frames" if one.video else "packets"]
    if samples != planned:
        raise VerifyError(f"{name}: {samples} samples are in the segments, not the {planned} that were encoded.")
    seconds = sum(cut.seconds)
    if abs(seconds - one.facts["duration"]) > DURATION_SLACK_SECONDS:
        raise VerifyError(f"{name}: the segments last {seconds:.2f} s, not {one.facts['duration']:.2f} s.")
