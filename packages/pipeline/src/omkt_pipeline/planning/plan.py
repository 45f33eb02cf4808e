"""Facts and presets in, a plan out. Pure: the same question always gets the same answer."""

from collections.abc import Mapping, Sequence

from omkt_pipeline.domain.capacity import Capacity, ChunkRules
from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.media import MediaFacts, SourceFile
from omkt_pipeline.domain.plan import Decision, Plan, PlannedOutput, PlannedTask, Value
from omkt_pipeline.domain.preset import (
    AudioPreset,
    FilmPreset,
    HlsPreset,
    Preset,
    PreviewPreset,
    StoryboardPreset,
    ThumbnailsPreset,
)
from omkt_pipeline.domain.recipe import PackageBoard, PackageFile, PackageHls, PackageImages, Part
from omkt_pipeline.domain.task import TaskKind
from omkt_pipeline.planning import explain
from omkt_pipeline.planning.cost import package_cost
from omkt_pipeline.planning.encodes import Encodes
from omkt_pipeline.planning.forms import finished
from omkt_pipeline.planning.known import Known
from omkt_pipeline.planning.labels import labels_of
from omkt_pipeline.planning.repeats import again

_KINDS = {
    "hls": "hls", "film": "file", "audio": "file", "preview": "file",
    "thumbnails": "images", "poster": "images", "storyboard": "images",
}  # fmt: skip


def plan_job(
    facts: MediaFacts,
    source: SourceFile,
    presets: Sequence[Preset],
    *,
    capacity: Capacity | None = None,
    rules: ChunkRules | None = None,
    impossible: Mapping[str, SourceError] | None = None,
    bases: Mapping[str, str] | None = None,
    known: Known | None = None,
) -> Plan:
    """Decide all work of a job: one encode of all its pictures, in chunks where the farm has `capacity` for it, one of each
    sound, one of its stills, then packaging.

    `bases` names the presets from which some were made for this job alone. What is `known` to
    exist of this source is not made again.
    What cannot be made of this source, or is `impossible` here for a reason of the caller's (by preset), is skipped, with the
    reason as a warning. Raises SourceError (no_video, no_audio,
    source_no_tracks) when nothing can.
    """
    if not facts.video and not facts.audio:
        raise SourceError("The source holds neither picture nor sound.", code="source_no_tracks")
    if not presets:
        return Plan(outputs=(), tasks=(), decisions=_about_tracks(facts))
    encodes = Encodes(facts, source, capacity or Capacity(), rules or ChunkRules(), known.sampled if known else {})
    known = known or Known()
    packages: list[PlannedTask] = []
    repeats: list[PlannedTask] = []
    refusals = dict(impossible or {})
    for preset in presets:
        if preset.id in refusals:
            continue
        if (unmet := explain.unmet(preset, facts, encodes.picture)) is not None:
            refusals[preset.id] = SourceError(unmet, code="condition_unmet")
            continue
        if (there := known.row_of(preset)) is not None:
            repeats.append(again(preset, there))
            continue
        try:
            packages.append(_package(preset, encodes, facts, source))
        except SourceError as refusal:
            refusals[preset.id] = refusal
    if not packages and not repeats:
        raise next(iter(refusals.values()))
    outputs = tuple(
        _planned(
            preset,
            (bases or {}).get(preset.id),
            recipe=known.recipe(preset),
            skipped=refusals[preset.id].code if preset.id in refusals else None,
        )
        for preset in presets
    )
    skipped = tuple(
        Decision(code=refusal.code, message=refusal.message, output=output, warning=True)
        for output, refusal in refusals.items()
    )
    repeated = tuple(
        Decision(
            code="made_before", message=f"{one.output} exists of this source and is not made again.", output=one.output
        )
        for one in repeats
    )
    tasks, instead = encodes.tasks()
    tasks, packed = finished(tasks, [_placed(package, instead) for package in packages])
    return Plan(
        outputs=outputs,
        tasks=(*tasks, *packed, *repeats),
        decisions=(*_about_tracks(facts), *encodes.decisions, *repeated, *skipped),
    )


def skipped_all(presets: Sequence[Preset], refusal: SourceError) -> Plan:
    """A plan that makes nothing, and says why."""
    outputs = tuple(_planned(preset, None, recipe=None, skipped=refusal.code) for preset in presets)
    decisions = tuple(
        Decision(code=refusal.code, message=refusal.message, output=one.key, warning=True) for one in outputs
    )
    return Plan(outputs=outputs, tasks=(), decisions=decisions)


def _planned(preset: Preset, base: str | None, *, recipe: str | None, skipped: str | None) -> PlannedOutput:
    return PlannedOutput(
        key=preset.id,
        preset=base or preset.id,
        preset_version=preset.version,
        recipe=recipe,
        kind=_KINDS[preset.kind],
        skipped=skipped,
    )


def _package(preset: Preset, encodes: Encodes, facts: MediaFacts, source: SourceFile) -> PlannedTask:
    """The package task of one output; asks `encodes` for what it needs on the way."""
    spec: Value
    parts: tuple[Part, ...]
    if isinstance(preset, HlsPreset | FilmPreset):
        if isinstance(preset, FilmPreset) and not preset.sound_alone and not encodes.has_video:
            raise SourceError(f"The source has no moving picture, and {preset.id} is a film.", code="no_video")
        part = encodes.part(preset.trim, preset.video)
        segments = encodes.segments_of(preset)
        video = encodes.ladder(preset.video, preset.id, preset.trim, segments)
        audio = encodes.sound(preset.audio, preset.id, part, segments)
        texts = encodes.texts(preset.id, wanted=preset.subtitles and bool(video), part=part)
        parts = (*video, *audio, *texts)
        tracks = {"output": preset.id, "video": video, "audio": audio, "texts": texts}
        if isinstance(preset, HlsPreset):
            spec = PackageHls(**tracks, segment_seconds=segments or preset.segment_seconds)
        else:
            labels = labels_of(facts, source, preset.container, part, wanted=preset.tags)
            spec = PackageFile(**tracks, name=f"video.{preset.container}", container=preset.container, **labels)
    elif isinstance(preset, AudioPreset):
        part = encodes.part(preset.trim, None)
        parts = encodes.sound_alone(preset.audio, preset.id, part)
        if not parts:
            raise SourceError(f"The source has no sound, and {preset.id} is nothing else.", code="no_audio")
        name = f"audio.{preset.container}"
        labels = labels_of(facts, source, preset.container, part, wanted=preset.tags)
        spec = PackageFile(output=preset.id, audio=parts, name=name, container=preset.container, **labels)
    elif not encodes.has_video:
        raise SourceError(f"The source has no moving picture, and {preset.id} shows one.", code="no_video")
    elif isinstance(preset, StoryboardPreset):
        parts = (encodes.board(preset),)
        spec = PackageBoard(output=preset.id, board=parts[0])
    elif isinstance(preset, PreviewPreset):
        parts = (encodes.preview(preset),)
        spec = PackageFile(output=preset.id, video=parts, name="preview.mp4")
    else:
        parts = encodes.stills(preset)
        archive = isinstance(preset, ThumbnailsPreset) and preset.archive
        spec = PackageImages(output=preset.id, images=parts, archive=archive)
    return PlannedTask(
        key=f"package-{preset.id}",
        kind=TaskKind.PACKAGE,
        spec=spec.model_dump(mode="json"),
        needs=tuple(sorted({part.task for part in parts})),
        cost=package_cost(facts.duration or 0.0),
        output=preset.id,
    )


def _placed(package: PlannedTask, instead: Mapping[str, tuple[str, ...]]) -> PlannedTask:
    """The package task with what takes the place of some of the tasks that it needs: chunks, or one for picture and sound."""
    moved = {key: keys[0] for key, keys in instead.items() if len(keys) == 1}
    cut = {key: list(instead[key]) for key in package.needs if len(instead.get(key, ())) > 1}
    audio = [{**part, "task": moved.get(part["task"], part["task"])} for part in package.spec.get("audio", ())]
    return package.model_copy(
        update={
            "spec": {**package.spec, **({"audio": audio} if audio else {}), **({"chunks": cut} if cut else {})},
            "needs": tuple(sorted({one for key in package.needs for one in instead.get(key, (key,))})),
        }
    )


def _about_tracks(facts: MediaFacts) -> tuple[Decision, ...]:
    """What of the source is not used."""
    left_out = (
        (len(facts.video) > 1, "video_tracks_left_out", f"The source has {len(facts.video)} pictures; one is used."),
        (bool(facts.unusable), "tracks_unusable", f"Tracks we do not decode: {', '.join(facts.unusable)}."),
    )
    return (
        *(Decision(code=code, message=text, warning=True) for applies, code, text in left_out if applies),
        *explain.about_subtitles(facts),
    )
