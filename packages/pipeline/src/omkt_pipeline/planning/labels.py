"""Which tags and chapters of its source an output carries."""

from typing import Any

from omkt_pipeline.domain.media import Chapter, MediaFacts, SourceFile
from omkt_pipeline.domain.recipe import Cover
from omkt_pipeline.planning.parts import Range

#: Containers that have a place for chapters.
_WITH_CHAPTERS = frozenset({"mp4", "m4a", "mkv", "webm", "mp3", "ogg"})
_WITH_COVER = frozenset({"mp4", "m4a", "mp3"})


def labels_of(facts: MediaFacts, source: SourceFile, container: str, part: Range, *, wanted: bool) -> dict[str, Any]:
    """The tags, chapters and cover of a file, on its own clock; nothing where the preset wants none."""
    if not wanted:
        return {}
    chapters = _within(facts, part) if container in _WITH_CHAPTERS else ()
    shown = facts.cover is not None and container in _WITH_COVER
    cover = (
        Cover(source=source, demuxer=facts.demuxer, index=facts.cover) if shown and facts.cover is not None else None
    )
    return {"tags": facts.tags, "chapters": chapters, "cover": cover}


def _within(facts: MediaFacts, part: Range) -> tuple[Chapter, ...]:
    shift = facts.start + part.begin
    length = (part.end if part.end is not None else facts.duration or float("inf")) - part.begin
    moved = (
        chapter.model_copy(
            update={"begin": max(0.0, chapter.begin - shift), "end": min(length, chapter.end - shift)},
        )
        for chapter in facts.chapters
    )
    return tuple(chapter for chapter in moved if chapter.begin < chapter.end)
