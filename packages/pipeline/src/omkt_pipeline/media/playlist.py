"""HLS playlists: the master playlist is written here, media playlists of ffmpeg's muxer are read and checked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

_AUDIO_GROUP = "audio"
_TITLES_GROUP = "subtitles"


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Bits per second of one track: of its heaviest segment, and over the whole."""

    peak: int
    average: int


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One picture size as the master playlist names it."""

    uri: str
    width: int
    height: int
    frame_rate: Fraction
    codec: str
    rate: Rate
    range: str = "SDR"  #: SDR, PQ, HLG
    key_frames: Rate | None = None  #: of its I-frame playlist, when there is one
    key_frames_uri: str = ""


@dataclass(frozen=True, kw_only=True)
class Titles:
    """A rendition of titles as the master playlist names it."""

    uri: str
    language: str | None = None
    forced: bool = False
    for_deaf: bool = False


@dataclass(frozen=True, kw_only=True)
class KeyFrame:
    """A key frame that can be shown alone: bytes of a segment from its beginning."""

    uri: str
    size: int
    seconds: float  #: until the next


@dataclass(frozen=True, kw_only=True)
class Sound:
    """The sound as the master playlist names it."""

    uri: str
    codec: str
    channels: int
    rate: Rate
    language: str | None = None


def media_playlist(entries: Sequence[tuple[str, float]], *, init: str | None = None) -> str:
    """A finished media playlist of whole files: their names and seconds; `init`: the file that goes before each."""
    longest = max(1, math.ceil(max(seconds for _, seconds in entries)))
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{longest}", "#EXT-X-PLAYLIST-TYPE:VOD"]
    if init is not None:
        lines += ["#EXT-X-INDEPENDENT-SEGMENTS", f'#EXT-X-MAP:URI="{init}"']
    for uri, seconds in entries:
        lines += [f"#EXTINF:{seconds:.6f},", uri]
    return "\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n"


def key_frame_playlist(frames: Sequence[KeyFrame], init: str) -> str:
    """A playlist of key frames alone (RFC 8216, 4.3.3.6), with which players show pictures while one searches."""
    longest = max(1, math.ceil(max(frame.seconds for frame in frames)))
    lines = [
        "#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{longest}", "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-I-FRAMES-ONLY", f'#EXT-X-MAP:URI="{init}"',
    ]  # fmt: skip
    for frame in frames:
        lines += [f"#EXTINF:{frame.seconds:.6f},", f"#EXT-X-BYTERANGE:{frame.size}@0", frame.uri]
    return "\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n"


def rate_of(sizes: Sequence[int], seconds: Sequence[float]) -> Rate:
    """Bits per second from the segments' sizes (bytes) and lengths."""
    peak = max((size * 8 / length for size, length in zip(sizes, seconds, strict=True) if length > 0), default=0.0)
    return Rate(peak=round(peak), average=round(sum(sizes) * 8 / max(sum(seconds), 1e-3)))


def master_playlist(variants: Sequence[Variant], sounds: Sequence[Sound], titles: Sequence[Titles] = ()) -> str:
    """The master playlist: every variant with its audio group, of which the first is the default, and its titles, of which
    none is; or the sound alone."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    first = sounds[0] if sounds else None
    if not variants and first is not None:
        lines += [f'#EXT-X-STREAM-INF:{_rates(first.rate)},CODECS="{first.codec}"', first.uri]
    if variants:
        lines += [_rendition(sound, number, default=sound is first) for number, sound in enumerate(sounds)]
        lines += [_titles(one, name) for one, name in zip(titles, _names(titles), strict=True)]
    heaviest = max((sound.rate for sound in sounds), key=lambda rate: rate.peak, default=None)
    for variant in variants:
        codecs = variant.codec if first is None else f"{variant.codec},{first.codec}"
        group = "" if first is None else f',AUDIO="{_AUDIO_GROUP}"'
        group += f',SUBTITLES="{_TITLES_GROUP}"' if titles else ""
        lines.append(
            f"#EXT-X-STREAM-INF:{_rates(variant.rate, heaviest)},"
            f"RESOLUTION={variant.width}x{variant.height},FRAME-RATE={float(variant.frame_rate):.3f},"
            f'VIDEO-RANGE={variant.range},CODECS="{codecs}"{group}'
        )
        lines.append(variant.uri)
    lines += [
        f"#EXT-X-I-FRAME-STREAM-INF:{_rates(variant.key_frames)},RESOLUTION={variant.width}x{variant.height},"
        f'VIDEO-RANGE={variant.range},CODECS="{variant.codec}",URI="{variant.key_frames_uri}"'
        for variant in variants
        if variant.key_frames is not None
    ]
    return "\n".join(lines) + "\n"


def _rendition(sound: Sound, number: int, *, default: bool) -> str:
    language = f',LANGUAGE="{sound.language}"' if sound.language else ""
    name = sound.language or ("main" if default else f"sound {number + 1}")
    return (
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{_AUDIO_GROUP}",NAME="{name}"{language},'
        f'DEFAULT={"YES" if default else "NO"},AUTOSELECT=YES,CHANNELS="{sound.channels}",URI="{sound.uri}"'
    )


def _titles(titles: Titles, name: str) -> str:
    language = f',LANGUAGE="{titles.language}"' if titles.language else ""
    # Apple's word for titles that also say what is heard besides speech.
    deaf = (
        ',CHARACTERISTICS="public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"'
        if titles.for_deaf
        else ""
    )
    return (
        f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="{_TITLES_GROUP}",NAME="{name}"{language},DEFAULT=NO,AUTOSELECT=YES,'
        f'FORCED={"YES" if titles.forced else "NO"}{deaf},URI="{titles.uri}"'
    )


def _names(titles: Sequence[Titles]) -> list[str]:
    """One name for each, as a group must not hold two of a name."""
    names: list[str] = []
    for one in titles:
        words = [one.language or "subtitles", *(["forced"] if one.forced else []), *(["SDH"] if one.for_deaf else [])]
        name = " ".join(words)
        names.append(name if name not in names else f"{name} {len(names) + 1}")
    return names


def _rates(*rates: Rate | None) -> str:
    known = [rate for rate in rates if rate is not None]
    peak, average = sum(rate.peak for rate in known), sum(rate.average for rate in known)
    return f"BANDWIDTH={peak},AVERAGE-BANDWIDTH={average}"
