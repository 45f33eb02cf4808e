"""Which rungs of a ladder a film is worth: those that spare a viewer with a slow line something."""

from collections.abc import Mapping

from omkt_pipeline.domain.plan import Decision
from omkt_pipeline.domain.recipe import VideoRendition

#: A rung that needs more than this part of the bits of the next larger one is not made: at equal quality who has a line for
#: it has, by and by, a line for the other. Usual ladders step down to about half.
_SPARES_TOO_LITTLE = 0.75

#: Bits a second that samples of each rendition took, by its name.
Sampled = Mapping[str, float]


def worth_having(
    renditions: tuple[VideoRendition, ...], sampled: Sampled | None, output: str
) -> tuple[tuple[VideoRendition, ...], tuple[Decision, ...]]:
    """The rungs to make of those that fit, best first, by what samples at constant quality took; and why.

    Without samples, as in a dry run, all of them.
    """
    if len(renditions) < 2:
        return renditions, ()
    if sampled is None:
        return renditions, (_unsampled(len(renditions), output),)
    kept: list[VideoRendition] = list(renditions[:1])
    left_out: list[str] = []
    for one in renditions[1:]:
        part = sampled[one.name] / max(sampled[kept[-1].name], 1.0)
        if part > _SPARES_TOO_LITTLE:
            left_out.append(f"{one.name} needs {part:.0%} of the bits of {kept[-1].name}")
        else:
            kept.append(one)
    took = ", ".join(f"{one.name} {sampled[one.name] / 1000:.0f} kbit/s" for one in renditions)
    decisions = [Decision(code="ladder_sampled", message=f"Samples of the film took: {took}.", output=output)]
    if left_out:
        said = f"{', '.join(left_out)}: left out, as a slower line would gain too little."
        decisions.append(Decision(code="rung_not_worth", message=said, output=output))
    return tuple(kept), tuple(decisions)


def _unsampled(count: int, output: str) -> Decision:
    said = f"Samples of the film decide which of {count} rungs are made; here all of them are shown."
    return Decision(code="ladder_unsampled", message=said, output=output)
