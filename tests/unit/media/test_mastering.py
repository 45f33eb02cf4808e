"""HDR10's static metadata: from ffprobe's words to those of the encoders."""

import pytest

from omkt_pipeline.domain.media import Mastering
from omkt_pipeline.media.hdr_facts import dolby_vision_of, mastering_of
from omkt_pipeline.media.mastering import with_mastering

SCREEN = {
    "side_data_type": "Mastering display metadata", "red_x": "34000/50000", "red_y": "16000/50000",
    "green_x": "13250/50000", "green_y": "34500/50000", "blue_x": "7500/50000", "blue_y": "3000/50000",
    "white_point_x": "15635/50000", "white_point_y": "16450/50000",
    "min_luminance": "1/10000", "max_luminance": "10000000/10000",
}  # fmt: skip
LIGHT = {"side_data_type": "Content light level metadata", "max_content": 1000, "max_average": 400}
FOUND = Mastering(
    display=(0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329, 1000.0, 0.0001), max_content=1000, max_average=400
)


def test_it_is_found_in_the_stream_or_its_frames() -> None:
    assert mastering_of([{"side_data_list": [SCREEN]}, {"side_data_list": [LIGHT]}]) == FOUND
    assert mastering_of([{}, {"side_data_list": [{"rotation": 90}]}]) is None


@pytest.mark.parametrize(
    "nonsense", [{"red_x": "0/0"}, {"max_luminance": "x"}, {"green_y": "9/1"}, {"min_luminance": "-1/1"}]
)
def test_nonsense_is_left_out(nonsense: dict[str, str]) -> None:
    assert mastering_of([{"side_data_list": [SCREEN | nonsense]}]) is None


def test_each_encoder_is_told_in_its_own_units() -> None:
    assert with_mastering("hevc", ["-x265-params", "keyint=50"], FOUND)[1] == (
        "keyint=50:hdr10=1:repeat-headers=1:master-display="
        "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"
    )
    assert with_mastering("av1", ["-g", "50"], FOUND)[2:] == [
        "-svtav1-params",
        "mastering-display=G(0.26500,0.69000)B(0.15000,0.06000)R(0.68000,0.32000)WP(0.31270,0.32900)L(1000.0000,0.0001)"
        ":content-light=1000,400",
    ]
    assert with_mastering("av1", ["-g", "50"], None) == ["-g", "50"]


def test_dolby_vision_is_known_by_its_profile() -> None:
    assert dolby_vision_of({"side_data_list": [{"dv_profile": 5}]}) == 5
    assert dolby_vision_of({}) is None
