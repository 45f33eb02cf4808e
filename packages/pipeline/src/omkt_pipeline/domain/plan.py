"""A plan: the decided work for a job, as tasks with their dependencies."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from omkt_pipeline.domain.task import TaskKind


class Value(BaseModel):
    """A frozen value that travels as JSON. Unknown fields are ignored, so that an older worker reads a newer row."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Decision(Value):
    """One decision of the planner with its reason."""

    code: str  #: stable, for programs
    message: str  #: a sentence, for people
    output: str | None = None  #: the output it concerns, or the whole job
    warning: bool = False  #: the client should know: something asked for is missing or altered


class PlannedTask(Value):
    """A task to be created. `key` is its name inside the plan; `needs` are keys that must be settled first."""

    key: str
    kind: TaskKind
    spec: dict[str, Any]
    needs: tuple[str, ...] = ()
    cost: float = 1.0  #: estimated CPU seconds; weighs in the fair share
    output: str | None = None  #: for package tasks: the key of the output it delivers
    spec_version: int = 0  #: what a worker must understand beyond what all tasks of its kind ask for


class PlannedOutput(Value):
    """An output to be delivered."""

    key: str  #: unique in its job; a preset's id, as a rule
    preset: str
    preset_version: int
    recipe: str | None = None  #: equal for outputs that are the same of the same source
    kind: str  #: hls, file, images
    skipped: str | None = None  #: the code of the decision that says why it cannot be made of this source


class Plan(Value):
    """The decided work for a job."""

    outputs: tuple[PlannedOutput, ...]
    tasks: tuple[PlannedTask, ...]
    decisions: tuple[Decision, ...] = ()
