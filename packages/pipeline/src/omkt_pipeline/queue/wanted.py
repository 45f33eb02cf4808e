"""What a job is asked for, as its row keeps it and as plan tasks are told."""

from collections.abc import Sequence
from typing import Any

from omkt_pipeline.domain.job import Variation
from omkt_pipeline.domain.plan import PlannedTask

#: Planners that plan what their task names, instead of all that the job was submitted with.
KNOWS_PRESETS = 4


def stored(ones: Sequence[str | Variation]) -> list[Any]:
    """Presets and variations as JSON."""
    return [one if isinstance(one, str) else one.model_dump(mode="json") for one in ones]


def wanted(stored: object) -> str | Variation:
    """A preset or variation from its JSON."""
    return Variation.model_validate(stored) if isinstance(stored, dict) else str(stored)


def name_of(one: object) -> str:
    """The output that a stored preset or variation makes."""
    return str(one["id"]) if isinstance(one, dict) else str(one)


def plans_in_turn(plan: PlannedTask, presets: Sequence[object], first: str) -> tuple[PlannedTask, ...]:
    """In the place of one plan: one of the output that comes first, and then one of all others. What the first one adds
    stands before the rest in the queue, down to its package."""
    own = [one for one in presets if name_of(one) == first]
    rest = [one for one in presets if name_of(one) != first]
    if not own or not rest:
        return (plan,)
    leading = plan.model_copy(update={"spec": {**plan.spec, "presets": own}, "spec_version": KNOWS_PRESETS})
    following = {"key": "plan-rest", "spec": {**plan.spec, "presets": rest}, "needs": (plan.key,)}
    return leading, leading.model_copy(update=following)
