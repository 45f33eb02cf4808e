"""HLS playlists: the master playlist is written here, media playlists of ffmpeg's muxer are read and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from omkt_pipeline.domain.errors import VerifyError

_AUDIO_GROUP = "audio"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One segment of a media playlist."""

    uri: str
    seconds: float


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


@dataclass(frozen=True, kw_only=True)
class Sound:
    """The sound as the master playlist names it."""

    uri: str
    codec: str
    channels: int
    rate: Rate
    language: str | None = None


def read_media_playlist(text: str) -> tuple[Entry, ...]:
    """The segments of a finished media playlist. Raises VerifyError for one without an end or without segments."""
    entries, seconds = [], None
    lines = text.split()
    for line in text.splitlines():
        if line.startswith("#EXTINF:"):
            seconds = float(line.removeprefix("#EXTINF:").rstrip(",").split(",")[0])
        elif line and not line.startswith("#") and seconds is not None:
            entries.append(Entry(uri=line, seconds=seconds))
            seconds = None
    if not entries or "#EXT-X-ENDLIST" not in lines:
        raise VerifyError("A media playlist is incomplete.")
    return tuple(entries)


def rate_of(sizes: Sequence[int], seconds: Sequence[float]) -> Rate:
    """Bits per second from the segments' sizes (bytes) and lengths."""
    peak = max((size * 8 / length for size, length in zip(sizes, seconds, strict=True) if length > 0), default=0.0)
    return Rate(peak=round(peak), average=round(sum(sizes) * 8 / max(sum(seconds), 1e-3)))


def master_playlist(variants: Sequence[Variant], sounds: Sequence[Sound]) -> str:
    """The master playlist: every variant with its audio group, of which the first is the default, or the sound alone."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    first = sounds[0] if sounds else None
    if not variants and first is not None:
        lines += [f'#EXT-X-STREAM-INF:{_rates(first.rate)},CODECS="{first.codec}"', first.uri]
    if variants:
        lines += [_rendition(sound, number, default=sound is first) for number, sound in enumerate(sounds)]
    heaviest = max((sound.rate for sound in sounds), key=lambda rate: rate.peak, default=None)
    for variant in variants:
        codecs = variant.codec if first is None else f"{variant.codec},{first.codec}"
        group = "" if first is None else f',AUDIO="{_AUDIO_GROUP}"'
        lines.append(
            f"#EXT-X-STREAM-INF:{_rates(variant.rate, heaviest)},"
            f"RESOLUTION={variant.width}x{variant.height},FRAME-RATE={float(variant.frame_rate):.3f},"
            f'CODECS="{codecs}"{group}'
        )
        lines.append(variant.uri)
    return "\n".join(lines) + "\n"


def _rendition(sound: Sound, number: int, *, default: bool) -> str:
    language = f',LANGUAGE="{sound.language}"' if sound.language else ""
    name = sound.language or ("main" if default else f"sound {number + 1}")
    return (
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{_AUDIO_GROUP}",NAME="{name}"{language},'
        f'DEFAULT={"YES" if default else "NO"},AUTOSELECT=YES,CHANNELS="{sound.channels}",URI="{sound.uri}"'
    )


def _rates(*rates: Rate | None) -> str:
    known = [rate for rate in rates if rate is not None]
    peak, average = sum(rate.peak for rate in known), sum(rate.average for rate in known)
    return f"BANDWIDTH={peak},AVERAGE-BANDWIDTH={average}"
