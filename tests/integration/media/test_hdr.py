"""HDR stays HDR where the preset keeps it, beside SDR from the same decode."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.media.looking import first_frame, packet_count, streams
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.domain.capacity import Capacity, ChunkRules
from omkt_pipeline.media.tools import Tools

Clip = Callable[..., Path]
SHORT = ChunkRules(min_seconds=2, target_seconds=2)
SCREEN = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"


@pytest.fixture(scope="module")
def hdr10(clip: Clip) -> Path:
    return clip("hdr10.mkv", "-f lavfi -i testsrc2=d=9:r=25:s=320x180 -pix_fmt yuv420p10le -c:v libx265 -x265-params"
                f" log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:hdr10=1:keyint=25:open-gop=0"
                f":master-display={SCREEN}:max-cll=1000,400")  # fmt: skip


@pytest.fixture(scope="module")
def hlg(clip: Clip) -> Path:
    return clip("hlg.mkv", "-f lavfi -i testsrc2=d=2:r=25:s=320x180 -pix_fmt yuv420p10le -c:v libx265 -x265-params"
                " log-level=error:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc")  # fmt: skip


def test_one_decode_gives_hdr_and_sdr(tmp_path: Path, each_build: Tools, hdr10: Path) -> None:
    delivered = Pipeline(tmp_path, each_build).run(hdr10, ["mp4-hevc-hdr", "mp4-480p", "hls-hevc-hdr"])
    kept, brought_down = (streams(delivered.entries[name], each_build)[0] for name in ("mp4-hevc-hdr", "mp4-480p"))

    assert [task.key for task in delivered.plan.tasks if task.kind == "encode"] == ["video"]
    assert (kept["color_transfer"], kept["color_primaries"], kept["color_space"]) == ("smpte2084", "bt2020", "bt2020nc")
    assert (kept["pix_fmt"], kept["profile"], kept["codec_tag_string"]) == ("yuv420p10le", "Main 10", "hvc1")
    assert (brought_down["color_transfer"], brought_down["pix_fmt"]) == ("bt709", "yuv420p")
    screen, light = first_frame(delivered.entries["mp4-hevc-hdr"], each_build)["side_data_list"][:2]
    assert (screen["red_x"], screen["max_luminance"]) == ("34000/50000", "10000000/10000")
    assert (light["max_content"], light["max_average"]) == (1000, 400)
    assert "VIDEO-RANGE=PQ" in delivered.entries["hls-hevc-hdr"].read_text()
    assert {"hdr_kept", "tone_mapped"} <= delivered.codes


def test_hlg_stays_hlg(pipeline: Pipeline, hlg: Path) -> None:
    delivered = pipeline.run(hlg, ["hls-hevc-hdr", "hls-av1-hdr"] if has_av1(pipeline.tools) else ["hls-hevc-hdr"])

    for folder in delivered.folders.values():
        assert "VIDEO-RANGE=HLG" in (folder / "master.m3u8").read_text()
        picture = streams(folder / "master.m3u8", pipeline.tools)[0]
        assert (picture["color_transfer"], picture["pix_fmt"]) == ("arib-std-b67", "yuv420p10le")


def test_chunks_of_hdr_fit_together(tmp_path: Path, tools: Tools, hdr10: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omkt_pipeline.planning.chunks._LEAST_COST", 0.0)
    cutting = Pipeline(tmp_path, tools, capacity=Capacity(slots=2, hosts=2), rules=SHORT)
    delivered = cutting.run(hdr10, ["mp4-hevc-hdr"])

    assert "chunked" in delivered.codes
    assert packet_count(delivered.entries["mp4-hevc-hdr"], tools) == 225


def test_a_source_in_sdr_skips_what_is_only_for_hdr(pipeline: Pipeline, film: Path) -> None:
    delivered = pipeline.run(film, ["mp4-hevc-hdr", "mp4-480p"])

    assert [(output.key, output.skipped) for output in delivered.plan.outputs] == [
        ("mp4-hevc-hdr", "condition_unmet"), ("mp4-480p", None),
    ]  # fmt: skip


def has_av1(tools: Tools) -> bool:
    return not tools.lacks("libsvtav1")
