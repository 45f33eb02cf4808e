"""A preset in words for people, written from its data so that it cannot promise anything else."""

from omkt_pipeline.domain.preset import (
    AudioPreset,
    AudioSettings,
    FilmPreset,
    HlsPreset,
    PosterPreset,
    Preset,
    PreviewPreset,
    Rung,
    StoryboardPreset,
    ThumbnailsPreset,
    VideoSettings,
)

_CODECS = {
    "h264": "H.264", "hevc": "HEVC", "vp9": "VP9", "vp8": "VP8", "av1": "AV1", "mpeg2video": "MPEG-2",
    "flv1": "Sorenson Spark", "aac": "AAC", "opus": "Opus", "vorbis": "Vorbis", "mp3": "MP3", "mp2": "MP2",
}  # fmt: skip
_CONTAINERS = {
    "mp4": "MP4", "webm": "WebM", "mkv": "Matroska", "flv": "FLV", "mpg": "MPEG program stream",
    "ts": "MPEG transport stream", "m4a": "M4A", "mp3": "MP3", "ogg": "Ogg",
}  # fmt: skip
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


def text_of(preset: Preset) -> str:
    """One line: container, picture and sound."""
    match preset:
        case HlsPreset() | FilmPreset() | AudioPreset():
            return _film(preset)
        case _:
            return _stills(preset)


def _film(preset: HlsPreset | FilmPreset | AudioPreset) -> str:
    match preset:
        case HlsPreset():
            return f"HLS: {_video(preset.video)}; {_audio(preset.audio)}"
        case FilmPreset():
            return f"{_CONTAINERS[preset.container]}: {_video(preset.video)}; {_audio(preset.audio)}"
        case AudioPreset():
            return f"{_CONTAINERS[preset.container]}: {_audio(preset.audio)}"


def _stills(preset: ThumbnailsPreset | PosterPreset | StoryboardPreset | PreviewPreset) -> str:
    match preset:
        case ThumbnailsPreset():
            sizes = f"up to {preset.size} lines high" + (" and at full size" if preset.full_size else "")
            return f"Up to {preset.count} JPEG stills spread over the film, {sizes}"
        case StoryboardPreset():
            return (
                f"JPEG sheets of {preset.columns} times {preset.rows} small pictures, one for each "
                f"{preset.seconds_apart:g} seconds (at most {preset.most}), with WebVTT for seek bars"
            )
        case PreviewPreset():
            return f"MP4: {preset.pieces} moments of {preset.seconds_each:g} seconds, {preset.size}p, without sound"
        case PosterPreset():
            return f"One JPEG still that tells what the film is, up to {preset.size} lines high"


def _video(video: VideoSettings) -> str:
    rungs = ", ".join(_rung(rung) for rung in sorted(video.rungs, key=lambda rung: rung.size, reverse=True))
    hdr = ", in HDR" if video.hdr else ""
    auto = ", as far as samples of the film find them worth having" if video.ladder == "auto" else ""
    return f"{_CODECS[video.codec]} {rungs}{auto}, up to {video.max_rate} frames/s{hdr}"


def _rung(rung: Rung) -> str:
    if rung.kbps is not None:
        return f"{rung.size}p at {rung.kbps} kbit/s"
    return f"{rung.size}p at constant quality up to {rung.max_kbps} kbit/s"


def _audio(audio: AudioSettings) -> str:
    kbps = audio.kbps_per_channel * audio.max_channels
    rate = "at its best variable bitrate" if audio.best else f"at {kbps} kbit/s"
    hertz = f", {audio.sample_rate / 1000:g} kHz" if audio.sample_rate else ""
    loud = f", {audio.loudness:g} LUFS" if audio.loudness is not None else ""
    layout = _LAYOUTS.get(audio.max_channels, f"{audio.max_channels} channels")
    return f"{_CODECS[audio.codec]} {layout} {rate}{hertz}{loud}"
