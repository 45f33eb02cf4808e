"""How every hostile file is opened: what ffmpeg and ffprobe are told before they see a source.

The protocol list alone is no defence on a shared volume: a playlist named film.mp4 would read a neighbour's file.
The demuxer list is what refuses it.
"""

from collections.abc import Mapping
from pathlib import Path

from omkt_pipeline.domain.limits import Limits

#: Containers we open. No playlists, no concatenation scripts, no image sequences, no text.
DEMUXERS = (
    "mov", "matroska", "avi", "mpegts", "mpeg", "ogg", "flv", "asf", "gif", "mxf",
    "wav", "mp3", "flac", "aac", "aiff", "caf", "dv", "ivf", "mpegvideo", "nut", "rm", "apng",
    "w64", "au", "amr", "ac3", "eac3", "dts", "ape", "tta", "wv", "mpc", "mpc8", "loas", "dsf",
    # Bare streams, as small cameras and encoders write them, and recordings of Windows' own.
    "h264", "hevc", "m4v", "obu", "yuv4mpegpipe", "truehd", "wtv",
)  # fmt: skip

#: Codecs we decode, each with the names of the decoders that builds may have for it.
DECODERS: Mapping[str, tuple[str, ...]] = {
    "h264": ("h264",), "hevc": ("hevc",), "av1": ("libdav1d", "libaom-av1", "av1"),
    "vp8": ("vp8", "libvpx"), "vp9": ("vp9", "libvpx-vp9"), "theora": ("theora",),
    "mpeg1video": ("mpeg1video",), "mpeg2video": ("mpeg2video",), "mpeg4": ("mpeg4",),
    "h263": ("h263",), "flv1": ("flv",), "gif": ("gif",), "mjpeg": ("mjpeg",), "qtrle": ("qtrle",),
    "msmpeg4v2": ("msmpeg4v2",), "msmpeg4v3": ("msmpeg4",), "wmv1": ("wmv1",), "wmv2": ("wmv2",),
    "wmv3": ("wmv3",), "vc1": ("vc1",), "prores": ("prores",), "dnxhd": ("dnxhd",), "dvvideo": ("dvvideo",),
    "rawvideo": ("rawvideo",), "vp6": ("vp6",), "vp6f": ("vp6f",), "svq1": ("svq1",), "svq3": ("svq3",),
    "cinepak": ("cinepak",), "huffyuv": ("huffyuv",), "utvideo": ("utvideo",), "msvideo1": ("msvideo1",),
    "aac": ("aac",), "mp3": ("mp3float", "mp3"), "mp2": ("mp2float", "mp2"), "mp1": ("mp1float", "mp1"),
    "ac3": ("ac3",), "eac3": ("eac3",), "dts": ("dca",), "truehd": ("truehd",), "mlp": ("mlp",),
    "opus": ("opus", "libopus"), "vorbis": ("vorbis", "libvorbis"), "flac": ("flac",), "alac": ("alac",),
    "amr_nb": ("amrnb", "libopencore_amrnb"), "amr_wb": ("amrwb", "libopencore_amrwb"),
    "wmav1": ("wmav1",), "wmav2": ("wmav2",), "adpcm_ms": ("adpcm_ms",), "adpcm_ima_wav": ("adpcm_ima_wav",),
    "adpcm_ima_qt": ("adpcm_ima_qt",), "adpcm_swf": ("adpcm_swf",), "nellymoser": ("nellymoser",),
    "ffv1": ("ffv1",), "ffvhuff": ("ffvhuff",), "magicyuv": ("magicyuv",), "lagarith": ("lagarith",), "v210": ("v210",),
    "v410": ("v410",), "r210": ("r210",), "cfhd": ("cfhd",), "hap": ("hap",), "jpeg2000": ("jpeg2000", "libopenjpeg"),
    "png": ("png",), "apng": ("apng",), "fraps": ("fraps",), "zmbv": ("zmbv",), "tscc": ("camtasia",), "tscc2": ("tscc2",),
    "rv10": ("rv10",), "rv20": ("rv20",), "rv30": ("rv30",), "rv40": ("rv40",), "indeo3": ("indeo3",),
    "indeo4": ("indeo4",), "indeo5": ("indeo5",), "h261": ("h261",), "rpza": ("rpza",), "smc": ("smc",),
    "mjpegb": ("mjpegb",), "dirac": ("dirac",), "cavs": ("cavs",), "vvc": ("vvc",),
    "aac_latm": ("aac_latm",), "s302m": ("s302m",), "ape": ("ape",), "tta": ("tta",), "mp4als": ("als",),
    "musepack7": ("mpc7",), "musepack8": ("mpc8",), "cook": ("cook",), "sipr": ("sipr",), "qdm2": ("qdm2",),
    "atrac3": ("atrac3",), "atrac3p": ("atrac3plus",), "wmavoice": ("wmavoice",), "wmalossless": ("wmalossless",),
    "adpcm_g722": ("g722",), "adpcm_g726": ("g726",), "adpcm_yamaha": ("adpcm_yamaha",), "ilbc": ("ilbc", "libilbc"),
    "qcelp": ("qcelp",), "evrc": ("evrc",), "dsd_lsbf": ("dsd_lsbf",), "dsd_lsbf_planar": ("dsd_lsbf_planar",),
    "wmapro": ("wmapro",), "wavpack": ("wavpack",), "speex": ("speex", "libspeex"), "gsm": ("gsm", "libgsm"),
    "gsm_ms": ("gsm_ms", "libgsm_ms"), "ra_144": ("real_144",), "ra_288": ("real_288",), "g723_1": ("g723_1",),
    # Old, and still on many disks: QuickTime's and Windows' own, Flash, edited and recorded screens.
    **{
        name: (name,)
        for name in (
            "aic", "pixlet", "hq_hqa", "hqx", "sheervideo", "ayuv", "v308", "v408", "yuv4", "8bps",
            "msmpeg4v1", "mss1", "mss2", "wmv3image", "vc1image", "msrle", "flashsv", "flashsv2",
            "vp3", "vp5", "vp6a", "h263i", "h263p", "mace3", "mace6", "qdmc", "truespeech",
        )
    },
    **{
        name: (name,)
        for name in (
            "pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be",
            "pcm_s16le_planar", "pcm_s16be_planar", "pcm_s8_planar", "pcm_u16le", "pcm_u16be", "pcm_s64le", "pcm_s64be",
            "pcm_s24le_planar", "pcm_s32le_planar",
            "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_alaw", "pcm_mulaw", "pcm_dvd", "pcm_bluray",
        )
    },
}  # fmt: skip

#: Titles that are text, by codec, with the names of their decoders; and titles that are pictures.
SUBTITLE_TEXTS: Mapping[str, tuple[str, ...]] = {
    "subrip": ("subrip", "srt"), "ass": ("ass", "ssa"), "ssa": ("ssa", "ass"), "webvtt": ("webvtt",),
    "mov_text": ("mov_text",), "text": ("text",), "microdvd": ("microdvd",),
}  # fmt: skip
SUBTITLE_IMAGES = frozenset({"dvb_subtitle", "dvd_subtitle", "hdmv_pgs_subtitle", "xsub"})

#: ffprobe opens a decoder for every track and gives up when one is not allowed, so it also gets those of tracks that
#: we only count: covers and titles.
_COUNTED = (
    "png", "bmp", "webp", *(name for names in SUBTITLE_TEXTS.values() for name in names),
    "dvbsub", "dvdsub", "pgssub", "xsub", "libzvbi_teletextdec", "cc_dec", "libaribb24", "libaribcaption",
)  # fmt: skip

_PROBE_BYTES = 50_000_000
_ANALYSE_MICROSECONDS = 20_000_000


def guards(limits: Limits, *, probing: bool = False, titles: bool = False) -> list[str]:
    """The options that go before the input: of ffmpeg, of an ffmpeg that reads `titles` alone, or (`probing`) of ffprobe."""
    decoders = [name for names in (SUBTITLE_TEXTS if titles else DECODERS).values() for name in names]
    return [
        "-protocol_whitelist", "file,pipe",
        "-format_whitelist", ",".join(DEMUXERS),
        "-codec_whitelist", ",".join([*decoders, *_COUNTED] if probing else decoders),
        "-max_pixels", str(limits.max_pixels),
        "-max_streams", str(limits.max_streams),
        "-probesize", str(_PROBE_BYTES),
        "-analyzeduration", str(_ANALYSE_MICROSECONDS),
    ]  # fmt: skip


def opened(
    path: Path,
    demuxer: str,
    limits: Limits,
    *,
    seek: float | None = None,
    probing: bool = False,
    titles: bool = False,
) -> list[str]:
    """The options and `-i` for a source whose demuxer is known."""
    return [
        *guards(limits, probing=probing, titles=titles),
        # What probing found, so that it cannot be taken for something else now.
        "-f", demuxer,
        *(["-ss", f"{seek:.6f}"] if seek is not None else []),
        # `file:` so that no part of the name is read as a protocol.
        "-i", f"file:{path}",
    ]  # fmt: skip
