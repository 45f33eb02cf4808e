"""Runs a media through probe, plan, encode and package without a queue: the handlers alone, in the plan's order."""

import itertools
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omkt_metadata.extract import Extract
from omkt_metadata.plan import Plan as PlanHandler
from omkt_metadata.probe import Probe
from omkt_pipeline.domain.capacity import Capacity, ChunkRules
from omkt_pipeline.domain.effects import Encoded, Planned, Probed, Published, Settlement
from omkt_pipeline.domain.job import Variation
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.media import MediaFacts, StoredMedia
from omkt_pipeline.domain.plan import Plan, PlannedTask
from omkt_pipeline.domain.recipe import MadeOutput, StagedFolder
from omkt_pipeline.domain.task import Task, TaskKind
from omkt_pipeline.media.tools import Tools
from omkt_pipeline.presets import shipped
from omkt_pipeline.storage.share import Share
from omkt_pipeline.worker import TaskContext
from omkt_transcoder.encode import Encode
from omkt_transcoder.package import Package

_ids = itertools.count(1)


def _say_nothing(_: float) -> None:
    pass


@dataclass
class Delivered:
    """What came out."""

    facts: MediaFacts
    plan: Plan
    results: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    entries: dict[str, Path] = field(default_factory=dict)

    @property
    def codes(self) -> set[str]:
        return {decision.code for decision in self.plan.decisions}


def new_task(kind: TaskKind, spec: Mapping[str, Any] | None = None, cost: float = 1.0) -> Task:
    return Task(
        id=next(_ids), job_id=1, media_id=1, account_id=1, kind=kind, spec=spec or {}, attempt=1,
        token=os.urandom(16), job_key="job", cost=cost,
    )  # fmt: skip


def _always(inputs: Mapping[str, StagedFolder]) -> Callable[[Task], Mapping[str, StagedFolder]]:
    return lambda _: inputs


class Pipeline:
    """A share in a folder, and the four handlers on it."""

    def __init__(
        self,
        root: Path,
        tools: Tools,
        limits: Limits | None = None,
        *,
        threads: int = 2,
        capacity: Capacity | None = None,
        rules: ChunkRules | None = None,
    ) -> None:
        self.capacity, self.rules = capacity or Capacity(), rules or ChunkRules()
        self.root, self.tools, self.limits, self.threads = root, tools, limits or Limits(), threads
        #: Outputs that exist, by the numbers that plans call them by.
        self.existing: dict[int, MadeOutput] = {}
        self.inputs: Mapping[str, StagedFolder] = {}
        #: The first plan, where there was one that takes samples.
        self.samples: Plan | None = None
        #: What each task said, in their order.
        self.settled: list[tuple[TaskKind, Mapping[str, Any]]] = []
        root.mkdir(exist_ok=True)
        self.share = Share.create(root / "share", farm_id="test")

    def context(self, task: Task, report: Callable[[float], None] = _say_nothing) -> TaskContext:
        scratch = self.root / "scratch" / f"{task.id}"
        scratch.mkdir(parents=True)
        return TaskContext(
            task=task,
            share=self.share,
            scratch=scratch,
            threads=self.threads,
            stop=threading.Event(),
            report=report,
        )

    def store(self, source: Path) -> StoredMedia:
        folder = self.share.root / "originals" / f"m{next(_ids)}"
        folder.mkdir()
        target = folder / "original"
        target.write_bytes(source.read_bytes())
        path = target.relative_to(self.share.root).as_posix()
        return StoredMedia(key="m", path=path, bytes=target.stat().st_size)

    def probe(self, media: StoredMedia) -> MediaFacts:
        handler = Probe(tools=self.tools, limits=self.limits, media_of=lambda _: media)
        effect = handler(self.context(new_task(TaskKind.PROBE))).effect
        assert isinstance(effect, Probed)
        return MediaFacts.model_validate(effect.facts)

    def plan(self, media: StoredMedia, facts: MediaFacts, presets: Sequence[str | Variation], **spec: object) -> Plan:
        known = media.model_copy(update={"facts": facts})
        handler = PlanHandler(
            presets=shipped(),
            media_of=lambda _: known,
            presets_of=lambda _: tuple(presets),
            tools=self.tools,
            inputs_of=self.inputs_of,
            capacity=lambda: self.capacity,
            rules=lambda: self.rules,
        )
        effect = handler(self.context(new_task(TaskKind.PLAN, spec))).effect
        assert isinstance(effect, Planned)
        return effect.plan

    def encode(self, planned: PlannedTask) -> StagedFolder:
        handler = Encode(tools=self.tools, limits=self.limits, inputs_of=self.inputs_of)
        context = self.context(new_task(TaskKind.ENCODE, planned.spec, planned.cost))
        settled = handler(context)
        assert isinstance(settled.effect, Encoded)
        assert settled.folder is not None
        return StagedFolder(folder=settled.folder, artifacts=settled.artifacts, facts=settled.effect.facts)

    def inputs_of(self, _: Task) -> Mapping[str, StagedFolder]:
        """What the task that is done now was to wait for."""
        return self.inputs

    def extract(self, planned: PlannedTask) -> StagedFolder:
        settled = Extract(tools=self.tools, limits=self.limits)(
            self.context(new_task(TaskKind.EXTRACT, planned.spec, planned.cost))
        )
        assert isinstance(settled.effect, Encoded)
        return StagedFolder(folder=settled.folder or "", artifacts=settled.artifacts, facts=settled.effect.facts)

    def package(self, planned: PlannedTask, inputs: Mapping[str, StagedFolder]) -> Settlement:
        handler = Package(
            tools=self.tools,
            limits=self.limits,
            inputs_of=_always(inputs),
            output_of=self.existing.__getitem__,
        )
        return handler(self.context(new_task(TaskKind.PACKAGE, planned.spec, planned.cost)))

    def fractions_of(self, planned: PlannedTask) -> list[float]:
        """The progress that encoding a task reports."""
        fractions: list[float] = []
        task = new_task(TaskKind.ENCODE, planned.spec, planned.cost)
        Encode(tools=self.tools, limits=self.limits, inputs_of=self.inputs_of)(self.context(task, fractions.append))
        return fractions

    def stopped_encode(self, planned: PlannedTask) -> None:
        """Encode a task that is told to stop as soon as it reports progress."""
        context = self.context(new_task(TaskKind.ENCODE, planned.spec, planned.cost))
        context.stop.set()
        Encode(tools=self.tools, limits=self.limits, inputs_of=self.inputs_of)(context)

    def run(self, source: Path, presets: Sequence[str | Variation]) -> Delivered:
        """Take a file through all handlers."""
        return self._run(self.store(source), presets)

    def run_stored(self, path: str, presets: Sequence[str | Variation]) -> Delivered:
        """The same for a file that lies on the share."""
        size = (self.share.root / path).stat().st_size
        return self._run(StoredMedia(key="m", path=path, bytes=size), presets)

    def _run(self, media: StoredMedia, presets: Sequence[str | Variation]) -> Delivered:
        facts = self.probe(media)
        plan = self.plan(media, facts, presets)
        if not plan.outputs:  # samples first
            self.samples = plan
            *samples, second = plan.tasks
            self.inputs = {one.key: self.encode(one) for one in samples}
            plan = self.plan(media, facts, presets, **second.spec)
        staged: dict[str, StagedFolder] = {}
        delivered = Delivered(facts=facts, plan=plan)
        for planned in plan.tasks:
            self.inputs = {key: staged[key] for key in planned.needs}
            if planned.kind is TaskKind.EXTRACT:
                staged[planned.key] = self.extract(planned)
                self.settled.append((planned.kind, staged[planned.key].facts))
                continue
            if planned.kind is TaskKind.ENCODE:
                staged[planned.key] = self.encode(planned)
                continue
            settled = self.package(planned, self.inputs)
            assert isinstance(settled.effect, Published)
            assert settled.folder is not None
            folder = self.share.root / settled.folder
            delivered.results[settled.effect.output] = settled.effect.result
            delivered.folders[settled.effect.output] = folder
            delivered.entries[settled.effect.output] = folder / settled.effect.entry
        return delivered
