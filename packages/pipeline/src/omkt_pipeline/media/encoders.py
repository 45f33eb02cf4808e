"""What each encoder is told. One place for the names and options of ffmpeg's encoders."""

from pathlib import Path

from omkt_pipeline.domain.media import Mastering
from omkt_pipeline.domain.preset import AudioPreset, FilmPreset, HlsPreset, Preset
from omkt_pipeline.domain.recipe import Encode, EncodeAudio, EncodeVideo, Single, VideoRendition, singles
from omkt_pipeline.media.mastering import appended, with_mastering

VIDEO_ENCODERS = {
    "h264": "libx264", "hevc": "libx265", "vp9": "libvpx-vp9", "vp8": "libvpx", "av1": "libsvtav1",
    "mpeg2video": "mpeg2video", "flv1": "flv",
}  # fmt: skip
AUDIO_ENCODERS = {"aac": "aac", "opus": "libopus", "vorbis": "libvorbis", "mp3": "libmp3lame", "mp2": "mp2"}

#: libvpx's cpu-used and SVT-AV1's preset for our words.
_VPX_SPEED = {"veryfast": 5, "faster": 5, "fast": 4, "medium": 3, "slow": 2}
_SVT_SPEED = {"veryfast": 11, "faster": 10, "fast": 9, "medium": 8, "slow": 6}
#: libvpx works in columns of tiles, and a tile is at least this wide.
_TILE_WIDTH = 256


def video_encoder(rendition: VideoRendition, threads: int, mastering: Mastering | None = None) -> list[str]:
    """The encoder with its options, for one rendition.

    Key frames lie every `gop_frames` and nowhere else, each group closed, so that renditions can be switched and cut there.
    """
    options = {
        "h264": _x264, "hevc": _x265, "vp9": _vp9, "vp8": _vp8, "av1": _svt_av1, "mpeg2video": _mpeg2, "flv1": _flv1,
    }[rendition.codec]  # fmt: skip
    words = options(rendition, threads)
    if rendition.hdr:
        words = with_mastering(rendition.codec, words, mastering)
    return ["-c:v", VIDEO_ENCODERS[rendition.codec], *words]


def in_pass(words: list[str], rendition: VideoRendition, number: int, notes: Path) -> list[str]:
    """An encoder's options in the first or second pass of a rendition that has two; `notes` is where it takes them."""
    if not rendition.two_pass:
        return words
    path = notes / rendition.name
    if rendition.codec == "hevc":
        return appended(words, "-x265-params", [f"pass={number}:stats={path}.log"])
    return [*words, "-pass", str(number), "-passlogfile", str(path)]


def encoders_of(recipe: Encode) -> frozenset[str]:
    """The names of the encoders that a task needs. Those of stills and titles are part of every build we run with."""
    return frozenset().union(*map(_encoders_of, singles(recipe)))


def _encoders_of(recipe: Single) -> frozenset[str]:
    if isinstance(recipe, EncodeVideo):
        return frozenset(VIDEO_ENCODERS[rendition.codec] for rendition in recipe.renditions)
    return frozenset({AUDIO_ENCODERS[recipe.codec]} if isinstance(recipe, EncodeAudio) else ())


def encoders_for(preset: Preset) -> frozenset[str]:
    """The names of the encoders that a preset may need."""
    found = set()
    if isinstance(preset, HlsPreset | FilmPreset):
        found.add(VIDEO_ENCODERS[preset.video.codec])
    if isinstance(preset, HlsPreset | FilmPreset | AudioPreset):
        found.add(AUDIO_ENCODERS[preset.audio.codec])
    return frozenset(found)


def audio_encoder(recipe: EncodeAudio) -> list[str]:
    """The encoder with its bitrate or quality."""
    if recipe.best:
        quality = {"mp3": "0", "vorbis": "9"}[recipe.codec]
        return ["-c:a", AUDIO_ENCODERS[recipe.codec], "-q:a", quality]
    return ["-c:a", AUDIO_ENCODERS[recipe.codec], "-b:a", f"{recipe.kbps}k"]


def _x264(rendition: VideoRendition, threads: int) -> list[str]:
    gop = str(rendition.gop_frames)
    return [
        "-preset", rendition.speed, "-profile:v", rendition.profile,
        # x264's own measure, half as many again as there are processors: its threads wait for one another.
        "-threads", str(threads + threads // 2),
        *_capped(rendition),
        "-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-flags", "+cgop",
    ]  # fmt: skip


def _x265(rendition: VideoRendition, threads: int) -> list[str]:
    gop = rendition.gop_frames
    # Without info=0 it writes its number of threads into the header, and chunks of different hosts would not fit together.
    words = f"log-level=error:info=0:pools={threads}:keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0"
    # hvc1: the tag that Apple's players ask for.
    return ["-preset", rendition.speed, *_capped(rendition), "-x265-params", words, "-tag:v", "hvc1"]


def _vp9(rendition: VideoRendition, threads: int) -> list[str]:
    tiles = max(0, (rendition.width // _TILE_WIDTH).bit_length() - 1)
    return [
        "-deadline", "good", "-cpu-used", str(_VPX_SPEED[rendition.speed]),
        "-row-mt", "1", "-tile-columns", str(min(tiles, 3)), "-threads", str(threads),
        *_vpx_rate(rendition), *_even_keys(rendition),
    ]  # fmt: skip


def _vp8(rendition: VideoRendition, threads: int) -> list[str]:
    return [
        "-deadline", "good", "-cpu-used", str(_VPX_SPEED[rendition.speed]), "-threads", str(min(threads, 8)),
        *_vpx_rate(rendition), *_even_keys(rendition),
    ]  # fmt: skip


def _svt_av1(rendition: VideoRendition, _threads: int) -> list[str]:
    # A cap beside an average is refused by some versions; the average holds by itself.
    rate = _capped(rendition) if rendition.crf is not None else ["-b:v", f"{rendition.kbps}k"]
    return ["-preset", str(_SVT_SPEED[rendition.speed]), *rate, "-g", str(rendition.gop_frames)]


def _mpeg2(rendition: VideoRendition, threads: int) -> list[str]:
    # Sequence headers before every group let a player begin anywhere. ISO/IEC 13818-2 wants the average below the maximum.
    return [
        *_capped(rendition), *_even_keys(rendition), "-bf", "2", "-flags", "+cgop", "-sc_threshold", "1000000000",
        "-threads", str(min(threads, 8)),
    ]  # fmt: skip


def _flv1(rendition: VideoRendition, _threads: int) -> list[str]:
    return [*_capped(rendition), "-g", str(rendition.gop_frames)]


def _capped(rendition: VideoRendition) -> list[str]:
    """Constant quality or an average, and never more than what a player of this rung can load."""
    wanted = ["-crf", str(rendition.crf)] if rendition.crf is not None else ["-b:v", f"{rendition.kbps}k"]
    return [*wanted, "-maxrate", f"{rendition.max_kbps}k", "-bufsize", f"{rendition.buffer_kbits}k"]


def _vpx_rate(rendition: VideoRendition) -> list[str]:
    # libvpx reads -b:v beside -crf as the cap of a constrained quality.
    if rendition.crf is not None:
        return ["-crf", str(rendition.crf), "-b:v", f"{rendition.max_kbps}k"]
    return _capped(rendition)


def _even_keys(rendition: VideoRendition) -> list[str]:
    gop = str(rendition.gop_frames)
    return ["-g", gop, "-keyint_min", gop]
