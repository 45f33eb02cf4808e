"""What is known beforehand of the files of a folder (MANIFEST.json beside them), and whether what became of one agrees with it.

An entry names `file`, and in `expected` what ffprobe finds: `probe_exit_code`, `streams` with `type`, `index`, `display_size`,
`frames` and `attached_pic`, `decode_error_lines`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omkt_pipeline.domain.media import MediaFacts

Entry = Mapping[str, Any]
#: What ffprobe takes for media, and is none: pictures and subtitles by themselves.
_NO_MEDIA = ("png_pipe", "webp_pipe", "jpeg_pipe", "bmp_pipe", "srt", "ass", "sup", "webvtt", "hls", "concat")
#: Refusals for want of something that a preset needs, by the kind of stream that must then be missing.
_WANTING = {"no_video": "video", "no_audio": "audio"}
_PIXELS = 2
_FRAMES = 2


def manifest(folder: Path) -> dict[str, Entry]:
    """The entries of a folder's files by name, from its own MANIFEST.json or its parent's; empty without one."""
    for place, prefix in ((folder, ""), (folder.parent, f"{folder.name}/")):
        path = place / "MANIFEST.json"
        if path.is_file():
            entries = {entry["file"]: entry for entry in json.loads(path.read_text())}
            return {name.removeprefix(prefix): entry for name, entry in entries.items() if name.startswith(prefix)}
    return {}


def fault_of_refusal(entry: Entry, code: str) -> str | None:
    """Why it is wrong to refuse a file, or None. What is broken or made to do harm may be refused for any reason."""
    expected = entry["expected"]
    if code in _WANTING:
        there = _streams(entry, _WANTING[code])
        return f"it has {_WANTING[code]}" if there else None
    harmful = "hostile" in str(entry.get("kind")) or str(entry["file"]).startswith("broken/")
    unreadable = expected["probe_exit_code"] != 0 or not expected["streams"]
    no_media = str(expected["format"]).split(",")[0] in _NO_MEDIA
    if harmful or unreadable or no_media or expected.get("decode_error_lines"):
        return None
    tracks = [*_streams(entry, "video"), *_streams(entry, "audio")]
    return "the manifest calls it sound" if tracks else None


def fault_of_facts(entry: Entry, facts: MediaFacts) -> str | None:
    """In what probing differs from the manifest, or None. Damaged files may be read in several ways."""
    if entry["expected"].get("decode_error_lines") or "hostile" in str(entry.get("kind")):
        return None
    wanted = {stream["index"]: stream for stream in _streams(entry, "video")}
    for track in facts.video:
        stream = wanted.get(track.index)
        if stream is None:
            return f"track {track.index} is no moving picture"
        size = stream.get("display_size")
        if size and max(abs(a - b) for a, b in zip(size, track.display_size, strict=True)) > _PIXELS:
            return f"shown as {track.display_size}, and should be {tuple(size)}"
        frames = stream.get("frames")
        # More may be counted than are shown: an edit list hides frames, and some are only referred to.
        if frames and track.counted_frames is not None and track.counted_frames < frames - _FRAMES:
            return f"{track.counted_frames} frames were counted, and {frames} can be decoded"
    return None


def _streams(entry: Entry, kind: str) -> list[Mapping[str, Any]]:
    """The streams of which something was decoded. A cover is not a moving picture."""
    streams = entry["expected"]["streams"] or []
    of_kind = [stream for stream in streams if stream.get("type", stream.get("codec_type")) == kind]
    return [stream for stream in of_kind if not stream.get("attached_pic") and stream.get("frames")]
