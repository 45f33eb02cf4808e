"""The words that make ffmpeg cut a track into fragmented MP4 segments, as it encodes or copies it."""

from pathlib import Path

from omkt_pipeline.media.cut import INIT

PLAYLIST = "index.m3u8"
#: Segments are cut this much before their time, as times are rounded: a key frame that is due is never late.
_EARLY_SECONDS = 0.0001


def segmented(folder: Path, *, seconds: float, number: int = 0) -> list[str]:
    """The end of an output: segments of such a length into `folder`, which must exist, the first with this number."""
    return [
        # Leave the clocks alone: an edit list in each header then says where the first frame is shown, and tracks
        # that are cut one by one stay together.
        "-avoid_negative_ts", "disabled",
        "-f", "hls", "-hls_time", f"{seconds - _EARLY_SECONDS:.6f}", "-start_number", str(number),
        "-hls_playlist_type", "vod", "-hls_list_size", "0",
        "-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", INIT, "-hls_flags", "independent_segments",
        "-hls_segment_filename", f"{folder}/%05d.m4s",
        f"{folder}/{PLAYLIST}",
    ]  # fmt: skip
