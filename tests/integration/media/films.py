"""Films for tests: made ones by their names, and those of the collection."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.integration.media.conftest import media_folder

Clip = Callable[..., Path]

_PICTURE = "-f lavfi -i testsrc2=d=9:r=25:s=160x90"
_SOUND = "-f lavfi -i sine=d=9:r=48000"
_BOTH = f"{_PICTURE} {_SOUND} -c:a aac -b:a 64k"
_SHORT = "-f lavfi -i testsrc2=d=7:r=25:s=160x90"
_TONE = "-f lavfi -i sine=d=7:r=48000"
_ENCODED = "-c:v libx264 -preset ultrafast -g 25"
#: Name of the file, and the words that make it.
CLIPS = {
    "closed.mp4": f"{_BOTH} -c:v libx264 -preset ultrafast -g 30 -flags +cgop",
    "b-frames.mp4": f"{_BOTH} -c:v libx264 -preset veryfast -bf 3 -g 40",
    "open.mp4": f"{_BOTH} -c:v libx264 -preset veryfast -bf 3 -g 40 -x264-params open-gop=1:scenecut=0:b-pyramid=strict",
    "open.mkv": f"{_BOTH} -c:v libx264 -preset veryfast -bf 3 -g 40 -x264-params open-gop=1:scenecut=0",
    "open-hevc.mp4": f"{_BOTH} -c:v libx265 -preset ultrafast -x265-params log-level=error:open-gop=1:keyint=30:bframes=3",
    "open-mpeg2.ts": f"{_BOTH} -c:v mpeg2video -bf 2 -g 12 -b:v 2M",
    "vfr.mkv": f"{_BOTH} -vf select='not(eq(mod(n,7),3))*not(between(n,90,110))' -fps_mode passthrough -c:v libx264 -g 30",
    "offset.ts": f"{_BOTH} -c:v libx264 -preset veryfast -bf 2 -g 30 -output_ts_offset 7000.5",
    "plain.ts": f"{_BOTH} -c:v libx264 -preset veryfast -bf 2 -g 30",
    "ntsc.mp4": f"-f lavfi -i testsrc2=d=9:r=30000/1001:s=160x90 {_SOUND} -c:a aac -c:v libx264 -preset ultrafast -g 45",
    "odd.mp4": f"-f lavfi -i testsrc2=d=9:r=8797/1000:s=160x90 {_SOUND} -c:a aac -c:v libx264 -preset ultrafast -g 9",
    "vp9.webm": f"{_PICTURE} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 40 -b:v 200k",
    "late.mkv": f"-itsoffset 0.4 {_PICTURE} {_SOUND} -map 0 -map 1 -c:a aac -c:v libx264 -preset ultrafast -g 30",
    "late.ts": f"-itsoffset 0.7 {_PICTURE} {_SOUND} -map 0 -map 1 -c:a aac -c:v libx264 -preset veryfast -bf 2 -g 30",
    "fields.ts": "-f lavfi -i testsrc2=d=9:r=50:s=160x96 -vf tinterlace=interleave_top,setfield=tff -c:v mpeg2video"
    " -flags +ildct+ilme -g 15 -b:v 2M",
}  # fmt: skip


def clip_of(clip: Clip, name: str) -> Path:
    """A clip by its name; some are made of others."""
    if name == "edit-list.mp4":
        # Cut behind a key frame without encoding: the index still holds frames that are not shown.
        film = clip("b-frames.mp4", CLIPS["b-frames.mp4"])
        return clip(name, f"-ss 0.7 -i {film} -c copy")
    if name == "negative.mkv":
        film = clip("b-frames.mp4", CLIPS["b-frames.mp4"])
        return clip(name, f"-i {film} -c copy -output_ts_offset -0.5 -avoid_negative_ts disabled")
    return clip(name, CLIPS[name])


def real_films() -> list[Path]:
    """Files of the collection that are long enough for two chunks and small enough for a test."""
    folder = media_folder()
    if folder is None:
        return []
    known = json.loads((folder / "MANIFEST.json").read_text())
    return [
        folder / one["file"]
        for one in known
        if not one["file"].startswith(("broken/", "hostile/", "bench/"))
        and 4 < float(one["expected"].get("duration_s") or 0) < 40
        and any(stream["type"] == "video" and not stream.get("attached_pic") for stream in one["expected"]["streams"])
    ]


#: Films with sounds of many kinds, and late ones.
SOUNDING = {
    "x-aac.mp4": f"{_SHORT} {_TONE} {_ENCODED} -c:a aac",
    "x-late.mp4": f"{_SHORT} -itsoffset 0.7 {_TONE} -map 0 -map 1 {_ENCODED} -c:a aac",
    "x-late.mkv": f"{_SHORT} -itsoffset 0.7 {_TONE} -map 0 -map 1 {_ENCODED} -c:a ac3",
    "x-late-picture.mp4": f"-itsoffset 0.4 {_SHORT} {_TONE} -map 0 -map 1 {_ENCODED} -c:a aac",
    "x-pcm.mov": f"{_SHORT} {_TONE} {_ENCODED} -c:a pcm_s24le",
    "x-opus.mkv": f"{_SHORT} {_TONE} {_ENCODED} -c:a libopus",
    "x-flac.mkv": f"{_SHORT} {_TONE} {_ENCODED} -c:a flac",
    "x-mp3.mp4": f"{_SHORT} {_TONE} {_ENCODED} -c:a libmp3lame",
    "x-monos.mov": f"{_SHORT} {_TONE} -f lavfi -i sine=d=7:f=880:r=48000 -map 0 -map 1 -map 2 -ac 1 {_ENCODED}"
    " -c:a pcm_s16le",
}
