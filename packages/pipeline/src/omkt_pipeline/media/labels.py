"""What a file says of itself: its title and the like, and its chapters. From ffprobe's words to ours, and to ffmpeg's."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from omkt_pipeline.domain.media import Chapter

#: What is read of a source. Places, devices, comments and people's own fields stay behind.
KNOWN = ("title", "artist", "album", "album_artist", "composer", "genre", "date", "track", "disc", "copyright")
#: Other names for them.
_ALSO = {"year": "date", "albumartist": "album_artist", "tracknumber": "track", "discnumber": "disc"}
_LONGEST = 300
_MOST_CHAPTERS = 1000


def tags_of(raw: Mapping[str, Any]) -> dict[str, str]:
    """The known tags of a file by ffprobe's answer. Ogg's are its track's."""
    found: dict[str, str] = {}
    for holder in (raw.get("format") or {}, *(raw.get("streams") or ())[:1]):
        for name, value in (holder.get("tags") or {}).items():
            known = _ALSO.get(str(name).lower(), str(name).lower())
            if known in KNOWN and (text := _plain(value)):
                found.setdefault(known, text)
    return found


def chapters_of(raw: Mapping[str, Any]) -> tuple[Chapter, ...]:
    """The chapters of a file by ffprobe's answer (`-show_chapters`), in their order; what is none is left out."""
    found = []
    for one in (raw.get("chapters") or ())[:_MOST_CHAPTERS]:
        try:
            begin, end = float(one["start_time"]), float(one["end_time"])
        except (KeyError, TypeError, ValueError):
            continue
        if 0 <= begin < end < float("inf"):
            found.append(Chapter(begin=begin, end=end, title=_plain((one.get("tags") or {}).get("title")) or None))
    return tuple(sorted(found, key=lambda chapter: chapter.begin))


def tag_words(tags: Mapping[str, str]) -> list[str]:
    """Options of ffmpeg that write tags."""
    return [word for name, value in tags.items() for word in ("-metadata", f"{name}={value}")]


def chapter_file(chapters: Sequence[Chapter]) -> str:
    """Chapters as ffmpeg's `ffmetadata` demuxer reads them."""
    return "".join((";FFMETADATA1\n", *_sections(chapters)))


def chapter_tags(chapters: Sequence[Chapter]) -> dict[str, str]:
    """Chapters as tags, for Ogg (https://wiki.xiph.org/Chapter_Extension): ffmpeg's own way rounds their seconds."""
    tags = {}
    for number, chapter in enumerate(chapters):
        thousandths = round(chapter.begin * 1000)
        minutes, seconds = divmod(thousandths // 1000, 60)
        name = f"CHAPTER{number:03d}"
        tags[name] = f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}.{thousandths % 1000:03d}"
        tags[f"{name}NAME"] = chapter.title or ""
    return tags


def _sections(chapters: Iterable[Chapter]) -> Iterable[str]:
    for chapter in chapters:
        yield f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={round(chapter.begin * 1000)}\nEND={round(chapter.end * 1000)}\n"
        if chapter.title:
            yield f"title={_escaped(chapter.title)}\n"


def _escaped(text: str) -> str:
    """https://ffmpeg.org/ffmpeg-formats.html#Metadata-2"""
    return "".join(f"\\{letter}" if letter in "=;#\\\n" else letter for letter in text)


def _plain(value: Any) -> str:
    """One printable line of reasonable length."""
    text = "".join(letter if letter.isprintable() else " " for letter in str(value or ""))
    return " ".join(text.split())[:_LONGEST]
