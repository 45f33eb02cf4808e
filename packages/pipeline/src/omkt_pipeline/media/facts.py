"""ffprobe's JSON in, our facts out. The one door: no dict from outside goes further."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from statistics import mode
from typing import Any, Literal

from omkt_pipeline.domain.media import AudioTrack, Colour, MediaFacts, SubtitleTrack, VideoTrack
from omkt_pipeline.media.hdr_facts import dolby_vision_of, mastering_of
from omkt_pipeline.media.labels import chapters_of, tags_of
from omkt_pipeline.media.source import DECODERS, SUBTITLE_IMAGES, SUBTITLE_TEXTS

Raw = Mapping[str, Any]

_INTERLACED = frozenset({"tt", "bb", "tb", "bt"})
#: Pixels more oblong than this are a mistake of the header, not a film.
_MOST_OBLONG = 10
_STRING_KEPT = 1000
_STREAMS_KEPT = 100
_HEXADECIMAL = re.compile("0x[0-9a-f]{1,8}")
_COVERS = frozenset({"mjpeg", "png"})


def facts_from(raw: Raw, *, size: int) -> MediaFacts:
    """Translate ffprobe's answer (`-show_format -show_streams -show_frames`) about a file of `size` bytes.

    Where the container and the first decoded frames disagree about the picture's size, the frames are right.
    """
    frames: dict[int, list[Raw]] = defaultdict(list)
    for frame in raw.get("frames") or []:
        frames[int(frame.get("stream_index", -1))].append(frame)
    video, audio, unusable = [], [], []
    subtitles, attached = list[SubtitleTrack](), list[Raw]()
    for stream in (raw.get("streams") or [])[:_STREAMS_KEPT]:
        kind, reason = stream.get("codec_type"), _reason_not_to_use(stream)
        if kind == "subtitle":
            subtitles.append(_subtitle(stream))
        elif kind == "video" and _is_attached(stream):
            attached.append(stream)
        elif kind in ("video", "audio") and reason:
            unusable.append(reason)
        elif kind == "video" and (track := _video(stream, frames[_index(stream)])):
            video.append(track)
        elif kind == "audio" and (sound := _audio(stream)):
            audio.append(sound)
    header = raw.get("format") or {}
    facts = MediaFacts(
        container=str(header.get("format_name", "")),
        duration=_seconds(header.get("duration")),
        start=_seconds(header.get("start_time")) or 0.0,
        bytes=size,
        video=tuple(video),
        audio=tuple(audio),
        subtitles=len(subtitles),
        subtitle_tracks=tuple(subtitles),
        attached_pictures=len(attached),
        cover=next((_index(one) for one in attached if _is_cover(one)), None),
        tags=tags_of(raw),
        chapters=chapters_of(raw),
        unusable=tuple(unusable),
    )
    if facts.counted_from_used and facts.first is not None:
        # Titles and data may begin before, and are not used.
        return facts.model_copy(update={"start": facts.first.start})
    return facts


def lasting(raw: Raw) -> dict[int, float]:
    """How many seconds a frame of each track lasts: what most of the first decoded ones do."""
    said: dict[int, list[float]] = defaultdict(list)
    for frame in raw.get("frames") or []:
        # ffprobe had another name for it before 6.0.
        seconds = _seconds(frame.get("duration_time", frame.get("pkt_duration_time")))
        if seconds:
            said[_integer(frame.get("stream_index")) or 0].append(seconds)
    return {index: mode(lengths) for index, lengths in said.items()}


def numbers(raw: Raw) -> dict[int, int]:
    """The number of each stream in its container, for example a PID."""
    said = {_index(stream): str(stream.get("id", "")) for stream in raw.get("streams") or []}
    return {index: int(text, 16) for index, text in said.items() if _HEXADECIMAL.fullmatch(text)}


def kept(raw: Raw) -> dict[str, Any]:
    """What is worth storing of ffprobe's own words: no frames, no endless or unprintable strings."""
    return {key: _trimmed(value) for key, value in raw.items() if key in ("format", "streams", "chapters")}


def _trimmed(value: Any) -> Any:
    if isinstance(value, str):
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value[:_STRING_KEPT])
    if isinstance(value, Mapping):
        return {_trimmed(str(key))[:100]: _trimmed(item) for key, item in list(value.items())[:_STREAMS_KEPT]}
    if isinstance(value, list):
        return [_trimmed(item) for item in value[:_STREAMS_KEPT]]
    return value


def _reason_not_to_use(stream: Raw) -> str | None:
    if (
        stream.get("codec_tag_string") in ("encv", "enca")
        or "encryption" in str(stream.get("side_data_list", "")).lower()
    ):
        return "encrypted"
    codec = str(stream.get("codec_name") or "unknown")
    return None if codec in DECODERS else re.sub(r"[^\w.-]", "", codec)[:40] or "unknown"


def _is_cover(stream: Raw) -> bool:
    return bool((stream.get("disposition") or {}).get("attached_pic")) and stream.get("codec_name") in _COVERS


def _is_attached(stream: Raw) -> bool:
    disposition = stream.get("disposition") or {}
    return bool(disposition.get("attached_pic") or disposition.get("timed_thumbnails"))


def _video(stream: Raw, frames: Sequence[Raw]) -> VideoTrack | None:
    width, height = int(stream.get("width") or 0), int(stream.get("height") or 0)
    if frames:
        width, height = int(frames[0].get("width") or width), int(frames[0].get("height") or height)
    if not (width and height) or _holds_nothing(stream):
        return None
    order = stream.get("field_order")
    return VideoTrack(
        index=_index(stream),
        codec=str(stream["codec_name"]),
        width=width,
        height=height,
        sample_aspect=_sample_aspect(_first(frames, "sample_aspect_ratio") or stream.get("sample_aspect_ratio")),
        rotation=_rotation(stream),
        average_rate=_rate(stream.get("avg_frame_rate")),
        base_rate=_rate(stream.get("r_frame_rate")),
        field_order=order,
        interlaced=order in _INTERLACED or any(frame.get("interlaced_frame") for frame in frames),
        pixel_format=stream.get("pix_fmt"),
        bit_depth=_bit_depth(stream),
        colour=Colour(
            range=_known(_first(frames, "color_range") or stream.get("color_range")),
            matrix=_known(_first(frames, "color_space") or stream.get("color_space")),
            transfer=_known(_first(frames, "color_transfer") or stream.get("color_transfer")),
            primaries=_known(_first(frames, "color_primaries") or stream.get("color_primaries")),
        ),
        mastering=mastering_of([stream, *frames]),
        closed_captions=bool(stream.get("closed_captions")) or any(map(_is_captioned, frames)),
        dolby_vision=dolby_vision_of(stream),
        frames=_integer(stream.get("nb_frames")),
        start=_seconds(stream.get("start_time")) or 0.0,
        duration=_track_duration(stream),
        default=bool((stream.get("disposition") or {}).get("default")),
    )


def _is_captioned(frame: Raw) -> bool:
    return any("Closed Captions" in str(one.get("side_data_type")) for one in frame.get("side_data_list") or [])


def _audio(stream: Raw) -> AudioTrack | None:
    channels, rate = int(stream.get("channels") or 0), int(stream.get("sample_rate") or 0)
    if not channels or not rate or _holds_nothing(stream):
        return None
    return AudioTrack(
        index=_index(stream),
        codec=str(stream["codec_name"]),
        channels=channels,
        layout=stream.get("channel_layout"),
        sample_rate=rate,
        language=_language(stream),
        frames=_integer(stream.get("nb_frames")),
        start=_seconds(stream.get("start_time")) or 0.0,
        duration=_track_duration(stream),
        default=bool((stream.get("disposition") or {}).get("default")),
    )


def _subtitle(stream: Raw) -> SubtitleTrack:
    codec, disposition = str(stream.get("codec_name") or "unknown"), stream.get("disposition") or {}
    kind: Literal["text", "image", "unknown"] = (
        "text" if codec in SUBTITLE_TEXTS else "image" if codec in SUBTITLE_IMAGES else "unknown"
    )
    return SubtitleTrack(
        index=_index(stream),
        codec=codec,
        kind=kind,
        language=_language(stream),
        forced=bool(disposition.get("forced")),
        for_deaf=bool(disposition.get("hearing_impaired") or disposition.get("captions")),
        default=bool(disposition.get("default")),
    )


def _language(stream: Raw) -> str | None:
    language = str((stream.get("tags") or {}).get("language") or "")
    return language if re.fullmatch(r"[a-zA-Z]{2,3}", language) and language != "und" else None


def _index(stream: Raw) -> int:
    return int(stream["index"])


def _holds_nothing(stream: Raw) -> bool:
    """A track that was announced and never filled."""
    return stream.get("nb_frames") == "0" or ("nb_frames" not in stream and _seconds(stream.get("duration")) == 0.0)


def _first(frames: Iterable[Raw], name: str) -> Any:
    return next((frame[name] for frame in frames if name in frame), None)


def _known(word: Any) -> str | None:
    return None if word in (None, "unknown", "unspecified", "reserved") else str(word)


def _sample_aspect(text: Any) -> str:
    aspect = _fraction(str(text or "").replace(":", "/"))
    plausible = aspect is not None and Fraction(1, _MOST_OBLONG) <= aspect <= _MOST_OBLONG
    return f"{aspect.numerator}/{aspect.denominator}" if aspect is not None and plausible else "1/1"


def _rotation(stream: Raw) -> int:
    """ffprobe counts anticlockwise, people turn clockwise; only quarter turns exist."""
    for data in stream.get("side_data_list") or []:
        if "rotation" in data:
            return round(-float(data["rotation"]) / 90) % 4 * 90
    return 0


def _rate(text: Any) -> str | None:
    rate = _fraction(text)
    return f"{rate.numerator}/{rate.denominator}" if rate else None


def _fraction(text: Any) -> Fraction | None:
    try:
        value = Fraction(str(text))
    except (ValueError, ZeroDivisionError):
        return None
    return value if value > 0 else None


def _bit_depth(stream: Raw) -> int:
    depth = _integer(stream.get("bits_per_raw_sample"))
    found = re.search(r"p(\d\d)(le|be)$", str(stream.get("pix_fmt")))
    return int(found[1]) if found else depth or 8


def _integer(text: Any) -> int | None:
    try:
        return int(text)
    except (TypeError, ValueError):
        return None


def _seconds(text: Any) -> float | None:
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if abs(value) < 1e9 else None


def _track_duration(stream: Raw) -> float | None:
    seconds = _seconds(stream.get("duration"))
    if seconds is not None:
        return seconds
    # Matroska says it in a tag.
    clock = re.match(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", str((stream.get("tags") or {}).get("DURATION", "")))
    return int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3]) if clock else None
