"""A real ffmpeg is asked for an encoder whose device does not work here: it says why, and nothing breaks."""

from omkt_pipeline.media.hardware import hardware_encoders
from omkt_pipeline.media.tools import find_tools


def test_a_device_that_is_none_is_no_encoder() -> None:
    found = hardware_encoders(find_tools().ffmpeg, is_device=lambda _: True)
    assert {"h264_vaapi", "h264_nvenc"} <= set(found)
    assert all(said for said in found.values())
