"""In which form encodes leave what they make: cut into segments, as one file, and sound beside its picture or apart."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from omkt_pipeline.domain.plan import PlannedTask
from omkt_pipeline.domain.recipe import (
    EncodeAudio,
    EncodeTogether,
    EncodeVideo,
    PackageFile,
    Part,
    VideoRendition,
    encode_spec,
    singles,
)

#: A sound that costs up to this part of what its picture costs is encoded after it by the same worker. More would rather be
#: encoded at the same time by another.
_BESIDE = 0.3


class Forms:
    """Remembers who wants what in which form. What is wanted in one form alone is left in it, all else as one file."""

    def __init__(self) -> None:
        self._wanted: dict[Part, set[float | None]] = {}
        self._heard_alone: set[str] = set()

    def wanted(self, parts: Iterable[Part], segments: float | None) -> tuple[Part, ...]:
        """Note that an output wants these parts, cut into segments of so many seconds, or as files; return them."""
        found = tuple(parts)
        for part in found:
            self._wanted.setdefault(part, set()).add(segments)
        return found

    def heard_alone(self, parts: Iterable[Part]) -> None:
        """Note that an output is made of these sounds and no picture: it shall not wait for one."""
        self._heard_alone.update(part.task for part in parts)

    def beside(self, sounds: Iterable[PlannedTask]) -> list[PlannedTask]:
        """The sounds that nobody wants without a picture."""
        return [sound for sound in sounds if sound.key not in self._heard_alone]

    def picture(self, rendition: VideoRendition, task: str, rate: Fraction) -> VideoRendition:
        """A rendition of a task with the form in which it is left."""
        seconds = self._segments(Part(task=task, name=rendition.name))
        return rendition.model_copy(update={"segment_frames": None if seconds is None else round(seconds * rate)})

    def sound(self, recipe: EncodeAudio, task: str) -> EncodeAudio:
        """The sound of a task with the form in which it is left."""
        return recipe.model_copy(update={"segment_seconds": self._segments(Part(task=task, name=recipe.name))})

    def _segments(self, part: Part) -> float | None:
        forms = self._wanted.get(part, set())
        return next(iter(forms)) if len(forms) == 1 else None


def together(film: PlannedTask, sounds: Sequence[PlannedTask]) -> PlannedTask | None:
    """One task for a film that is encoded whole and its sounds, under the film's key; None when they are better apart."""
    cost = sum(sound.cost for sound in sounds)
    if not sounds or cost > _BESIDE * film.cost:
        return None
    recipe = EncodeTogether(
        recipes=(
            EncodeVideo.model_validate(film.spec),
            *(EncodeAudio.model_validate(sound.spec) for sound in sounds),
        )
    )
    return film.model_copy(update={"spec": recipe.model_dump(mode="json"), "cost": round(film.cost + cost, 1)})


def finished(
    encodes: Sequence[PlannedTask], packages: Sequence[PlannedTask]
) -> tuple[tuple[PlannedTask, ...], tuple[PlannedTask, ...]]:
    """The tasks of a plan, with files made by the encode that makes all that is in them, where there is such a one."""
    files = {package.key: package for package in packages if package.spec["kind"] == "file" and len(package.needs) == 1}
    made = tuple(
        _finishing(
            encode,
            [one for one in files.values() if one.needs == (encode.key,)],
            [one for one in packages if one.key not in files],
        )
        for encode in encodes
    )
    said = {"finished": True}
    return made, tuple(
        package.model_copy(update={"spec": package.spec | said}) if package.key in files else package
        for package in packages
    )


def _finishing(encode: PlannedTask, files: Sequence[PlannedTask], others: Sequence[PlannedTask]) -> PlannedTask:
    if not files:
        return encode
    kept = {part["name"] for other in others for part in _parts(other) if part["task"] == encode.key}
    recipe = EncodeTogether(
        recipes=singles(encode_spec.validate_python(encode.spec)),
        files=tuple(PackageFile.model_validate(one.spec) for one in files),
        kept=tuple(sorted(kept)),
    )
    return encode.model_copy(update={"spec": recipe.model_dump(mode="json")})


def _parts(package: PlannedTask) -> Iterable[dict[str, str]]:
    for tracks in ("video", "audio", "texts"):
        yield from package.spec.get(tracks, ())
