"""Titles: WebVTT as ffmpeg wrote it becomes what a player is given, whole and in segments."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.recipe import Text
from omkt_pipeline.media.captions import read_cues, segments_of, webvtt, within
from omkt_pipeline.media.playlist import media_playlist
from omkt_pipeline.media.segmenter import PLAYLIST

#: Titles are small: longer segments than those of pictures are fewer files.
_SEGMENT_SECONDS = 60.0
#: Titles of one track; a film with much talk has two thousand.
_MOST = 200_000


def rewritten(path: Path, text: Text) -> dict[str, Any]:
    """Put titles in place of ffmpeg's, without what could be taken for more than titles; their facts.

    Raises SourceError (source_too_complex) for a track without end.
    """
    cues = read_cues(path.read_text(errors="replace"))
    if len(cues) > _MOST:
        raise SourceError(f"Track {text.index} holds {len(cues)} titles.", code="source_too_complex")
    if text.begin or text.end is not None:
        cues = within(cues, None if text.end is None else text.end - text.begin, begin=text.begin)
    path.write_text(webvtt(cues))
    return {
        "codec": "webvtt",
        "language": text.language,
        "forced": text.forced,
        "for_deaf": text.for_deaf,
        "cues": len(cues),
    }


def write_rendition(made: Path, folder: Path, name: str, *, length: float) -> None:
    """Write NAME.vtt, whole, and the segments of an HLS rendition with their playlist in the folder NAME.

    What is said after the end of the pictures is left out.
    """
    cues = within(read_cues(made.read_text()), length)
    (folder / f"{name}.vtt").write_text(webvtt(cues))
    home = folder / name
    home.mkdir()
    segments = segments_of(cues, seconds=_SEGMENT_SECONDS, length=length)
    for number, some in enumerate(segments):
        (home / f"{number:05d}.vtt").write_text(webvtt(some, mapped=True))
    last = length - _SEGMENT_SECONDS * (len(segments) - 1)
    lengths = [_SEGMENT_SECONDS] * (len(segments) - 1) + [last]
    (home / PLAYLIST).write_text(
        media_playlist([(f"{number:05d}.vtt", seconds) for number, seconds in enumerate(lengths)])
    )


def disposition_of(facts: Mapping[str, Any]) -> str | None:
    """What a player should know of a track of titles, in ffmpeg's words."""
    words = [word for key, word in (("forced", "forced"), ("for_deaf", "hearing_impaired")) if facts.get(key)]
    return "+".join(words) or "0"
