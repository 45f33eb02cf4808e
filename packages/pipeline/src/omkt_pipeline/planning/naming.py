"""Names for what is made once and wanted several times."""

from typing import TypeVar

from omkt_pipeline.domain.recipe import Still, Text, VideoRendition

Named = TypeVar("Named", VideoRendition, Still, Text)


def once(wanted: Named, known: dict[str, Named]) -> str:
    """The name under which an equal recipe is known, or a new one for it."""
    for count in range(len(known) + 1):
        name = numbered(wanted.name, count)
        candidate = wanted.model_copy(update={"name": name})
        if known.setdefault(name, candidate) == candidate:
            return name
    raise AssertionError("there is always a free name")


def numbered(name: str, count: int) -> str:
    return name if count == 0 else f"{name}-{count + 1}"
