"""Checks a cut presentation frame by frame against its plan, and writes what leads players to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

from omkt_pipeline.domain.errors import VerifyError
from omkt_pipeline.domain.recipe import PackageHls, Part, StagedFolder
from omkt_pipeline.media.boxes import Segment, codec_string, read_segment, timescale
from omkt_pipeline.media.manifest import TextFile, Track, dash_manifest
from omkt_pipeline.media.package_argv import INIT, PLAYLIST
from omkt_pipeline.media.playlist import (
    KeyFrame,
    Rate,
    Sound,
    Titles,
    Variant,
    key_frame_playlist,
    master_playlist,
    rate_of,
    read_media_playlist,
)
from omkt_transcoder.verify import DURATION_SLACK_SECONDS

MASTER = "master.m3u8"
KEY_FRAMES = "key-frames.m3u8"
_AAC_LC = "mp4a.40.2"
#: As package_argv.py names segments, in DASH's words.
_SEGMENT = "$Number%05d$.m4s"
#: EXTINF is written with a few decimals.
_EXTINF_SLACK_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """One track as it was cut."""

    rate: Rate
    scale: int  #: units of a second
    begins_at: int  #: in these units
    lengths: tuple[int, ...]  #: in these units, of every segment
    codec: str | None  #: of a video track
    key_frames: Rate | None = None  #: of a video track's I-frame playlist

    @property
    def starts(self) -> tuple[Fraction, ...]:
        """Seconds at which the segments begin."""
        ends = accumulate(self.lengths, initial=self.begins_at)
        return tuple(Fraction(begin, self.scale) for begin in tuple(ends)[:-1])


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """What leads players to the segments."""

    master: str  #: HLS
    manifest: str  #: DASH


def check_presentation(spec: PackageHls, inputs: Mapping[str, StagedFolder], folder: Path) -> Presentation:
    """Return what leads to the segments. Raises VerifyError when segments, playlists and plan do not agree."""
    cuts = {part.name: _check_track(part, inputs, folder / part.name) for part in (*spec.video, *spec.audio)}
    starts = {cuts[part.name].starts for part in spec.video}
    if len(starts) > 1:
        raise VerifyError("The renditions are not cut at the same frames.")
    variants = [
        Variant(
            uri=f"{part.name}/{PLAYLIST}",
            width=facts["width"],
            height=facts["height"],
            frame_rate=Fraction(inputs[part.task].facts["rate"]),
            codec=cuts[part.name].codec or "",
            rate=cuts[part.name].rate,
            range=facts.get("range", "SDR"),
            key_frames=cuts[part.name].key_frames,
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
            rate=cuts[part.name].rate,
            language=facts["language"],
        )
        for part in spec.audio
        for facts in [inputs[part.task].facts["sounds"][part.name]]
    ]
    pictures = [
        _track(
            part.name,
            cuts[part.name],
            cuts[part.name].codec or "",
            width=one.width,
            height=one.height,
            frame_rate=one.frame_rate,
            range=one.range,
        )
        for part, one in zip(spec.video, variants, strict=True)
    ]
    tracks = [
        _track(part.name, cuts[part.name], one.codec, language=one.language, channels=one.channels)
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


def _track(name: str, cut: _Cut, codec: str, **more: Any) -> Track:
    return Track(
        name=name, codec=codec, rate=cut.rate, timescale=cut.scale, begins_at=cut.begins_at, lengths=cut.lengths, **more
    )


def _check_track(part: Part, inputs: Mapping[str, StagedFolder], folder: Path) -> _Cut:
    facts = inputs[part.task].facts
    is_video = part.name in facts.get("renditions", {})
    planned: Mapping[str, Any] = facts["renditions" if is_video else "sounds"][part.name]
    entries = read_media_playlist((folder / PLAYLIST).read_text())
    paths = [folder / entry.uri for entry in entries]
    if {path.name for path in folder.glob("*.m4s")} != {entry.uri for entry in entries}:
        raise VerifyError(f"{part.name}: the playlist and the segment files differ.")
    init = (folder / INIT).read_bytes()
    scale = timescale(init)
    segments = [read_segment(path) for path in paths]
    lengths = [segment.duration / scale for segment in segments]
    _check_continuity(part.name, segments, needs_key_frames=is_video)
    samples = sum(segment.samples for segment in segments)
    if samples != planned["frames" if is_video else "packets"]:
        raise VerifyError(f"{part.name}: {samples} samples are in the segments, not those that were encoded.")
    if abs(sum(lengths) - planned["duration"]) > DURATION_SLACK_SECONDS:
        raise VerifyError(f"{part.name}: the segments last {sum(lengths):.2f} s, not {planned['duration']:.2f} s.")
    if any(abs(entry.seconds - length) > _EXTINF_SLACK_SECONDS for entry, length in zip(entries, lengths, strict=True)):
        raise VerifyError(f"{part.name}: the playlist names other lengths than the segments have.")
    key_frames = _key_frames(folder, [entry.uri for entry in entries], segments, lengths) if is_video else None
    return _Cut(
        key_frames=key_frames,
        rate=rate_of([path.stat().st_size for path in paths], lengths),
        scale=scale,
        begins_at=segments[0].begins_at,
        lengths=tuple(segment.duration for segment in segments),
        codec=codec_string(init) if is_video else None,
    )


def _key_frames(
    folder: Path, uris: Sequence[str], segments: Sequence[Segment], lengths: Sequence[float]
) -> Rate | None:
    """Write the I-frame playlist of a picture, of the first frame of each segment; its rate, or None without one."""
    sizes = [segment.key_frame_bytes for segment in segments if segment.key_frame_bytes]
    if len(sizes) != len(segments):
        return None
    frames = [
        KeyFrame(uri=uri, size=size, seconds=seconds) for uri, size, seconds in zip(uris, sizes, lengths, strict=True)
    ]
    (folder / KEY_FRAMES).write_text(key_frame_playlist(frames, INIT))
    return rate_of(sizes, lengths)


def _check_continuity(name: str, segments: Sequence[Segment], *, needs_key_frames: bool) -> None:
    expected = segments[0].begins_at
    for number, segment in enumerate(segments):
        if segment.begins_at != expected:
            raise VerifyError(f"{name}: segment {number} does not begin where the one before it ends.")
        if needs_key_frames and not segment.begins_with_key_frame:
            raise VerifyError(f"{name}: segment {number} does not begin with a key frame.")
        expected += segment.duration
