"""Cut encoded sounds, and what older versions left as files, into segments on local scratch, and check them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omkt_pipeline.domain.errors import VerifyError
from omkt_pipeline.domain.recipe import Single
from omkt_pipeline.media.cut import Cut, read_cut
from omkt_pipeline.media.package_argv import Cutting, cutting_of, hls_argv
from omkt_pipeline.media.segmenter import PLAYLIST
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
    return {one.cutting.track.name: _checked(one, target / one.cutting.track.name) for one in wanted}


def cut_sounds(
    recipes: Sequence[Single], facts: dict[str, Any], made: Path, *, tools: Tools, run: Run
) -> dict[str, Any]:
    """Put segments in the place of the sounds' files of an encode that is to leave them; its facts with what they are."""
    cuttings = [cutting for recipe in recipes if (cutting := cutting_of(recipe, made)) is not None]
    if not cuttings:
        return facts
    sounds = facts["sounds"]
    wanted = [ToCut(cutting=cutting, facts=sounds[cutting.track.name]) for cutting in cuttings]
    cuts = cut_tracks(wanted, made, tools=tools, run=run)
    for cutting in cuttings:
        cutting.track.path.unlink()
    said = {name: {**sounds[name], "cut": cut.model_dump(mode="json")} for name, cut in cuts.items()}
    return {**facts, "sounds": {**sounds, **said}}


def _checked(one: ToCut, folder: Path) -> Cut:
    """Every sample once, each segment where it belongs."""
    (folder / PLAYLIST).unlink()
    cut = read_cut(folder, number=0, video=one.video)
    name, samples, planned = folder.name, sum(cut.samples), one.facts["frames" if one.video else "packets"]
    if samples != planned:
        raise VerifyError(f"{name}: {samples} samples are in the segments, not the {planned} that were encoded.")
    seconds = sum(cut.seconds)
    if abs(seconds - one.facts["duration"]) > DURATION_SLACK_SECONDS:
        raise VerifyError(f"{name}: the segments last {seconds:.2f} s, not {one.facts['duration']:.2f} s.")
    return cut
