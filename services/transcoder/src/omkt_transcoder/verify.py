"""Compare what was made with what was planned. Exit status 0 of ffmpeg proves nothing."""

import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

from omkt_pipeline.domain.errors import OmktError, SourceError, VerifyError
from omkt_pipeline.domain.recipe import EncodeAudio, EncodeBoard, EncodePreview, EncodeVideo, VideoRendition
from omkt_pipeline.media.complaints import meaning_of
from omkt_pipeline.media.containers import staged
from omkt_pipeline.media.cut import INIT, Cut, placed, read_cut
from omkt_pipeline.media.extent import short_of
from omkt_pipeline.media.made import header_of, segmented_track, tracks_of
from omkt_pipeline.media.moov import MovieTrack
from omkt_pipeline.media.tools import Tools

#: Two tracks of one presentation and their playlists may differ by so much: frames and sound packets have lengths.
DURATION_SLACK_SECONDS = 0.5
#: Hz from which MPEG-1's layer 3 has frames of 1152 samples, and not half of it.
_MPEG1_LOWEST = 32000
#: The code of a sound that got more silence than its source has.
SOUND_TOO_LONG = "sound_too_long"


def check_rendition(
    target: Path,
    rendition: VideoRendition,
    recipe: EncodeVideo,
    *,
    frames: int,
    tools: Tools,
    stderr: str,
    stop: threading.Event | None,
) -> dict[str, Any]:
    """Facts of a rendition that was left in the folder `target`, as a file or as segments.

    Raises SourceError when the source gave less than it promised, else VerifyError.
    """
    cut = None
    if rendition.segment_frames is None:
        path = target / f"{rendition.name}.{staged(rendition.codec).ending}"
        track, size = (
            _only_track(path, "video", recipe.seconds, tools=tools, stderr=stderr, stop=stop),
            path.stat().st_size,
        )
    else:
        path = target / rendition.name / INIT
        cut = _cut(path.parent, recipe.frames_before // rendition.segment_frames, recipe.seconds, stderr=stderr)
        track, size = segmented_track(path.parent, cut, tools=tools, stop=stop), sum(cut.bytes)
        if short_of(recipe.seconds, track.duration):
            raise damaged(track.duration, recipe.seconds, stderr)
    if recipe.chunk is not None and recipe.chunk.frames not in (None, track.samples):
        raise VerifyError(
            f"{rendition.name} holds {track.samples} frames of chunk {recipe.chunk.number}, not {recipe.chunk.frames}.",
            code="chunk_short",
        )
    if (track.codec, track.width, track.height) != (rendition.codec, rendition.width, rendition.height):
        raise VerifyError(f"{rendition.name} is {track.codec} {track.width}x{track.height}, not what was planned.")
    if abs(track.samples - frames) > 0:
        raise VerifyError(f"{rendition.name} holds {track.samples} frames, and {frames} were encoded.")
    expected = track.samples / Fraction(recipe.rate)
    if abs(track.duration - float(expected)) > DURATION_SLACK_SECONDS:
        raise VerifyError(f"{rendition.name} lasts {track.duration:.2f} s, its frames {float(expected):.2f} s.")
    return {
        "width": track.width,
        "height": track.height,
        "codec": track.codec,
        "range": (recipe.colour.hdr or "sdr").upper() if rendition.hdr else "SDR",
        "frames": track.samples,
        **({"header": header_of(path)} if recipe.chunk is not None else {}),
        **({"cut": placed(path.parent, cut, recipe.frames_before).model_dump(mode="json")} if cut is not None else {}),
        "duration": round(track.duration, 3),
        "bitrate": round(size * 8 / max(track.duration, 0.001)),
    }


def check_sound(
    path: Path, recipe: EncodeAudio, *, tools: Tools, stderr: str, stop: threading.Event | None, bounded: bool = True
) -> dict[str, Any]:
    """Facts of an encoded sound. Raises SourceError when the source gave less than it promised, else VerifyError.

    `bounded`: more than was promised is a fault, too (SOUND_TOO_LONG).
    """
    track = _only_track(path, "audio", recipe.input.duration, tools=tools, stderr=stderr, stop=stop)
    # Packets that lie over each other in time are not in the header's length.
    length = max(track.duration, track.samples * _packet_seconds(recipe))
    if bounded and recipe.input.duration and short_of(length, recipe.input.duration):
        raise VerifyError(
            f"The sound lasts {length:.2f} s, and its source {recipe.input.duration:.2f} s.", code=SOUND_TOO_LONG
        )
    if (track.codec, track.channels) != (recipe.codec, recipe.channels):
        raise VerifyError(f"The sound is {track.codec} with {track.channels} channels, not what was planned.")
    return {
        "codec": track.codec,
        "channels": track.channels,
        "sample_rate": recipe.sample_rate,
        "language": recipe.language,
        "packets": track.samples,
        "duration": round(track.duration, 3),
        "bitrate": round(path.stat().st_size * 8 / max(track.duration, 0.001)),
    }


def check_preview(
    recipe: EncodePreview, folder: Path, *, tools: Tools, stderr: str, stop: threading.Event | None
) -> dict[str, Any]:
    """Facts of a preview. Raises SourceError when nothing of the source could be decoded, else VerifyError."""
    made = recipe.rendition
    path = folder / f"{made.name}.mp4"
    track = _only_track(path, "video", 0.0, tools=tools, stderr=stderr, stop=stop)
    if (track.codec, track.width, track.height) != (made.codec, made.width, made.height):
        raise VerifyError(f"The preview is {track.codec} {track.width}x{track.height}, not what was planned.")
    if track.samples > len(recipe.starts) * recipe.frames:
        raise VerifyError(f"The preview holds {track.samples} frames, more than were planned.")
    return {
        "width": track.width,
        "height": track.height,
        "codec": track.codec,
        "frames": track.samples,
        "duration": round(track.duration, 3),
        "bitrate": round(path.stat().st_size * 8 / max(track.duration, 0.001)),
    }


def check_board(recipe: EncodeBoard, folder: Path, *, stderr: str) -> dict[str, Any]:
    """Facts of a storyboard. Raises SourceError when nothing could be decoded, VerifyError when sheets are missing."""
    sheets = sorted(path.name for path in folder.glob(f"{recipe.name}-*.jpg") if path.stat().st_size)
    if not sheets:
        raise damaged(0.0, recipe.input.duration, stderr)
    # The last pictures of a film that ends a little early may be missing; a sheet may not.
    each = recipe.columns * recipe.rows
    if len(sheets) != -(-recipe.count // each):
        raise VerifyError(f"The storyboard has {len(sheets)} sheets for {recipe.count} pictures.")
    return {
        "sheets": sheets,
        "apart": recipe.apart,
        "count": recipe.count,
        "columns": recipe.columns,
        "rows": recipe.rows,
        "width": recipe.width,
        "height": recipe.height,
        "duration": recipe.input.duration,
    }


def _cut(folder: Path, number: int, promised: float, *, stderr: str) -> Cut:
    """The segments that an encode left. Without a single frame there are none, nor a header; or a header and one segment
    with nothing in it."""
    if not (folder / INIT).exists():
        raise damaged(0.0, promised, stderr)
    try:
        return read_cut(folder, number=number, video=True)
    except VerifyError as error:
        if error.code == "segment_empty" and len(list(folder.glob("*.m4s"))) == 1:
            raise damaged(0.0, promised, stderr) from error
        raise


def _packet_seconds(recipe: EncodeAudio) -> float:
    """How long the sound of one packet is; 0 where that varies."""
    if recipe.codec == "opus":
        return 0.020
    half = recipe.codec == "mp3" and recipe.sample_rate < _MPEG1_LOWEST
    return {"aac": 1024, "mp2": 1152, "mp3": 576 if half else 1152}.get(recipe.codec, 0) / recipe.sample_rate


def _only_track(
    path: Path, kind: str, promised: float, *, tools: Tools, stderr: str, stop: threading.Event | None
) -> MovieTrack:
    try:
        tracks = tracks_of(path, tools=tools, stop=stop)
    except VerifyError as error:
        # A file without a single frame has no index and cannot be opened.
        raise damaged(0.0, promised, stderr) from error
    if not tracks or tracks[0].samples == 0:
        raise damaged(0.0, promised, stderr)
    if len(tracks) != 1 or tracks[0].kind != kind:
        raise VerifyError(f"{path.name} should hold one {kind} track and nothing else.")
    if short_of(promised, tracks[0].duration):
        raise damaged(tracks[0].duration, promised, stderr)
    return tracks[0]


def damaged(found: float, promised: float, stderr: str) -> OmktError:
    """Whose fault it is that so much is missing: probing saw the source's end, and damage is never decoded in silence."""
    if not stderr.strip():
        return VerifyError(
            f"Of {promised:.1f} s only {found:.1f} s came out, and ffmpeg had nothing to complain of.",
            code="verify_short",
        )
    meaning = meaning_of(stderr)
    if meaning is not None and meaning.retryable:
        return meaning  # the share or the disk gave up, not the source
    return SourceError(
        f"The source is damaged: of {promised:.1f} s only {found:.1f} s could be decoded.",
        code="source_damaged",
        log_tail=stderr,
    )
