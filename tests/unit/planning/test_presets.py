from pathlib import Path

import pytest

from omkt_pipeline.presets import from_folder, shipped

GOOD = "id: mine\nversion: 1\ntitle: Mine\nkind: audio\naudio: {kbps_per_channel: 96}\n"


def test_the_first_presets_are_shipped() -> None:
    assert set(shipped()) >= {"hls-h264", "mp4-720p", "mp4-1080p", "audio-aac", "thumbnails", "poster"}


def test_an_operator_may_add_presets(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD)

    assert from_folder(tmp_path)["mine"].kind == "audio"


@pytest.mark.parametrize(
    "text", [GOOD + "speling: 1\n", "id: mine\n", "- not\n- a preset\n", GOOD.replace("mine", "other"), "{"]
)
def test_a_preset_with_a_mistake_does_not_load(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)

    with pytest.raises(ValueError, match=r"preset mine\.yaml"):
        from_folder(tmp_path)
