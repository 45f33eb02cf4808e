"""Facts in the form of the original's metadata. Dashes in names, and numbers written as text, are part of its contract."""

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

from omkt_api.content_types import content_type
from omkt_pipeline.domain.media import AudioTrack, MediaFacts, VideoTrack
from omkt_pipeline.domain.preset import CARRIES
from omkt_pipeline.queue.wire.telling import Made

#: Of the JSON in a callback: it travels in a URL, and servers cut those at 8 KB.
MAX_BYTES = 4000

_MIMES = {
    "mov": "mp4", "matroska": "x-matroska", "flv": "x-flv", "avi": "x-msvideo", "mpegts": "mp2t", "mpeg": "mpeg",
    "asf": "x-ms-asf", "wav": "x-wav", "mp3": "mpeg", "aac": "aac", "ogg": "ogg", "flac": "flac", "dv": "dv",
}  # fmt: skip
_BOXES = {".mp4": "mov", ".m4a": "mov", ".webm": "matroska", ".mkv": "matroska", ".mpg": "mpeg", ".ts": "mpegts"}


def of_source(facts: MediaFacts) -> dict[str, Any]:
    """The metadata of a client's media."""
    kind = "video" if facts.video else "audio" if facts.audio else "other"
    duration = facts.duration or 0.0
    told: dict[str, Any] = {
        "mime": _mime(facts, kind),
        "file_size": facts.bytes,
        "box": facts.demuxer,
        "time-estimate": _clock(duration),
        "bitrate": _kilobits(facts.bytes, duration),
        "time": round(duration, 3),
        "tracks": [
            *(_picture(track) for track in facts.video),
            *(_sound(track) for track in facts.audio),
            *({"type": "subtitle"} for _ in range(facts.subtitles)),
        ],
        "type": kind,
    }
    if facts.video:
        told["frames"] = str(facts.video[0].counted_frames or facts.video[0].frames or 0)
    return told


def of_result(made: Made) -> dict[str, Any]:
    """The metadata of a result."""
    pictures, sounds = made.contents.get("renditions", []), made.contents.get("audio", [])
    ending = PurePosixPath(made.entry).suffix
    told: dict[str, Any] = {
        "mime": content_type(made.entry),
        "file_size": made.bytes,
        "cardinality": cardinality(made),
        "type": "video" if pictures else "audio" if sounds else "other",
        "tracks": [*(_made_picture(one) for one in pictures), *(_made_sound(one) for one in sounds)],
    }
    if pictures or sounds:
        duration = float(made.contents.get("duration", 0.0))
        told |= {
            "box": _BOXES.get(ending, ending.removeprefix(".")),
            "time-estimate": _clock(duration),
            "bitrate": _kilobits(made.bytes, duration),
            "time": round(duration, 3),
        }
    if pictures:
        told["frames"] = str(pictures[0].get("frames", 0))
    return told


def cardinality(made: Made) -> int:
    """How many files a result is; more than one come as a zip."""
    return len(made.contents.get("images", [])) if made.entry.endswith(".zip") else 1


def compact(told: Mapping[str, Any]) -> str:
    """JSON that fits into a URL: of very many tracks the last ones are left out."""
    told = dict(told)
    while len(text := json.dumps(told, separators=(",", ":"))) > MAX_BYTES and told["tracks"]:
        told["tracks"] = told["tracks"][:-1]
    return text


def _mime(facts: MediaFacts, kind: str) -> str:
    codecs = {*(track.codec for track in facts.video), *(track.codec for track in facts.audio)}
    if facts.demuxer == "matroska" and codecs <= CARRIES["webm"]:
        return f"{kind}/webm"
    family = "application" if kind == "other" else kind
    return f"{family}/{_MIMES.get(facts.demuxer, f'x-{facts.demuxer}')}"


def _picture(track: VideoTrack) -> dict[str, Any]:
    shape = Fraction(track.width, track.height) * Fraction(track.sample_aspect)
    pixel = Fraction(track.sample_aspect)
    told = {
        "type": "video",
        "codec": track.codec,
        "pixelfmt": track.pixel_format or "",
        "width": str(track.width),
        "height": str(track.height),
        "DAR1": str(shape.numerator),
        "DAR2": str(shape.denominator),
        "PAR1": str(pixel.numerator),
        "PAR2": str(pixel.denominator),
    }
    return told | ({"fps": _rate(Fraction(track.average_rate))} if track.average_rate else {})


def _sound(track: AudioTrack) -> dict[str, Any]:
    told = {
        "type": "audio",
        "codec": track.codec,
        "samplerate": str(track.sample_rate),
        "channels": _channels(track.channels, track.layout),
    }
    return told | ({"lang": track.language} if track.language else {})


def _made_picture(fact: Mapping[str, Any]) -> dict[str, Any]:
    frames, duration = float(fact.get("frames", 0)), float(fact.get("duration", 0.0))
    return {
        "type": "video",
        "codec": str(fact["codec"]),
        "width": str(fact["width"]),
        "height": str(fact["height"]),
        "bitrate": str(round(float(fact.get("bitrate", 0)) / 1000)),
        "fps": _rate(Fraction(frames / duration).limit_denominator(1001)) if duration else "0",
    }


def _made_sound(fact: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        "type": "audio",
        "codec": str(fact["codec"]),
        "samplerate": str(fact.get("sample_rate", "")),
        "channels": _channels(int(fact["channels"]), None),
        "bitrate": str(round(float(fact.get("bitrate", 0)) / 1000)),
    }
    return told | ({"lang": str(fact["language"])} if fact.get("language") else {})


def _channels(count: int, layout: str | None) -> str:
    return {1: "mono", 2: "stereo"}.get(count, layout or str(count))


def _rate(rate: Fraction) -> str:
    return f"{float(rate):.2f}".rstrip("0").rstrip(".")


def _clock(seconds: float) -> str:
    hundredths = round(seconds * 100)
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 100:02}.{rest % 100:02}"


def _kilobits(size: int, seconds: float) -> str:
    return str(round(size * 8 / seconds / 1000)) if seconds else "0"
