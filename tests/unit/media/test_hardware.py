"""Which hardware encoders a host says it has."""

from pathlib import Path

from omkt_pipeline.media.hardware import KINDS, hardware_encoders, one_frame

FFMPEG = Path("/usr/bin/ffmpeg")


def test_without_a_device_nothing_is_tried_and_nothing_is_claimed() -> None:
    tried: list[list[str]] = []
    found = hardware_encoders(FFMPEG, is_device=lambda _: False, attempt=lambda argv: tried.append(argv) or "no")
    assert (found, tried) == ({}, [])


def test_an_encoder_is_usable_when_one_frame_went_through_and_else_says_why() -> None:
    def attempt(argv: list[str]) -> str | None:
        return None if "h264_vaapi" in argv else "No VA display found"

    found = hardware_encoders(FFMPEG, is_device=lambda name: "dri" in name, attempt=attempt)
    assert found == {
        "h264_vaapi": "usable",
        "hevc_vaapi": "No VA display found",
        "av1_vaapi": "No VA display found",
    }


def test_the_trial_is_one_frame_through_the_device_into_nothing() -> None:
    vaapi = KINDS[0]
    argv = one_frame(FFMPEG, vaapi, "h264_vaapi")
    assert argv[argv.index("-vaapi_device") + 1] == vaapi.device
    assert argv[argv.index("-frames:v") + 1] == "1"
    assert argv[-3:] == ["-f", "null", "-"]
