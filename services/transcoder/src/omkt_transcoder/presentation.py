"""Writes what leads players to the segments of a presentation."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from omkt_pipeline.domain.errors import VerifyError
from omkt_pipeline.domain.recipe import PackageHls, StagedFolder
from omkt_pipeline.media.cut import INIT, Cut
from omkt_pipeline.media.manifest import TextFile, Track, dash_manifest
from omkt_pipeline.media.playlist import (
    KeyFrame,
    Rate,
    Sound,
    Titles,
    Variant,
    key_frame_playlist,
    master_playlist,
    media_playlist,
    rate_of,
)
from omkt_pipeline.media.segmenter import PLAYLIST

MASTER = "master.m3u8"
KEY_FRAMES = "key-frames.m3u8"
_AAC_LC = "mp4a.40.2"
#: As package_argv.py names segments, in DASH's words.
_SEGMENT = "$Number%05d$.m4s"


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """What leads players to the segments."""

    master: str  #: HLS
    manifest: str  #: DASH


def present(
    spec: PackageHls, inputs: Mapping[str, StagedFolder], cuts: Mapping[str, Cut], folder: Path
) -> Presentation:
    """Write the media playlists of all tracks, cut as `cuts` says, into their folders; return what leads to them.

    Raises VerifyError when the renditions are not cut at the same frames.
    """
    starts = {cuts[part.name].starts for part in spec.video}
    if len(starts) > 1:
        raise VerifyError("The renditions are not cut at the same frames.")
    for name, cut in cuts.items():
        _write_playlist(cut, folder / name)
    rates = {name: rate_of(cut.bytes, cut.seconds) for name, cut in cuts.items()}
    variants = [
        Variant(
            uri=f"{part.name}/{PLAYLIST}",
            width=facts["width"],
            height=facts["height"],
            frame_rate=Fraction(inputs[part.task].facts["rate"]),
            codec=cuts[part.name].codec or "",
            rate=rates[part.name],
            range=facts.get("range", "SDR"),
            key_frames=_key_frames(cuts[part.name], folder / part.name),
            key_frames_uri=f"{part.name}/{KEY_FRAMES}",
        )
        for part in spec.video
        for facts in [inputs[part.task].facts["renditions"][part.name]]
    ]
    sounds = [
        Sound(
            uri=f"{part.name}/{PLAYLIST}",
            codec=_AAC_LC,
            channels=facts["channels"],
            rate=rates[part.name],
            language=facts["language"],
        )
        for part in spec.audio
        for facts in [inputs[part.task].facts["sounds"][part.name]]
    ]
    pictures = [
        _track(
            part.name,
            cuts[part.name],
            rates[part.name],
            cuts[part.name].codec or "",
            width=one.width,
            height=one.height,
            frame_rate=one.frame_rate,
            range=one.range,
        )
        for part, one in zip(spec.video, variants, strict=True)
    ]
    tracks = [
        _track(part.name, cuts[part.name], rates[part.name], one.codec, language=one.language, channels=one.channels)
        for part, one in zip(spec.audio, sounds, strict=True)
    ]
    said = {part.name: inputs[part.task].facts["texts"][part.name] for part in spec.texts}
    about = {name: {key: facts[key] for key in ("language", "forced", "for_deaf")} for name, facts in said.items()}
    titles = [Titles(uri=f"{name}/{PLAYLIST}", **more) for name, more in about.items()]
    texts = [
        TextFile(name=name, uri=f"{name}.vtt", bytes=(folder / f"{name}.vtt").stat().st_size, **more)
        for name, more in about.items()
    ]
    return Presentation(
        master=master_playlist(variants, sounds, titles),
        manifest=dash_manifest(pictures, tracks, texts, init=INIT, segment=_SEGMENT),
    )


def _track(name: str, cut: Cut, rate: Rate, codec: str, **more: Any) -> Track:
    return Track(
        name=name, codec=codec, rate=rate, timescale=cut.scale, begins_at=cut.begins_at, lengths=cut.lengths, **more
    )


def _write_playlist(cut: Cut, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / PLAYLIST).write_text(media_playlist([*zip(cut.names, cut.seconds, strict=True)], init=INIT))


def _key_frames(cut: Cut, folder: Path) -> Rate | None:
    """Write the I-frame playlist of a picture, of the first frame of each segment; its rate, or None without one."""
    sizes = [size for size in cut.key_frame_bytes if size]
    if len(sizes) != len(cut.bytes):
        return None
    frames = [
        KeyFrame(uri=uri, size=size, seconds=seconds)
        for uri, size, seconds in zip(cut.names, sizes, cut.seconds, strict=True)
    ]
    (folder / KEY_FRAMES).write_text(key_frame_playlist(frames, INIT))
    return rate_of(sizes, cut.seconds)
