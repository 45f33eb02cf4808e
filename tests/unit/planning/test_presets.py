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


def test_a_preset_begins_with_what_it_extends(tmp_path: Path) -> None:
    (tmp_path / "_base.yaml").write_text("version: 3\nkind: audio\naudio: {kbps_per_channel: 96, max_channels: 1}\n")
    (tmp_path / "mine.yaml").write_text("id: mine\nextends: _base\naudio: {max_channels: 2}\n")

    presets = from_folder(tmp_path)

    assert set(presets) == {"mine"}, "a base cannot be asked for"
    assert presets["mine"].model_dump()["audio"] | {} == {
        "codec": "aac", "max_channels": 2, "kbps_per_channel": 96, "best": False, "sample_rate": None,
        "every_language": False, "loudness": None,
    }  # fmt: skip
    assert presets["mine"].title == "M4A: AAC stereo at 192 kbit/s"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id: mine\nextends: nothing\n", "does not exist"),
        ("id: mine\nextends: mine\n", "extends itself"),
        (GOOD + "container: webm\n", "webm does not carry aac"),
        (GOOD.replace("kbps_per", "codec: mp3, max_channels: 6, kbps_per") + "container: mp3\n", "two channels"),
    ],
)
def test_what_cannot_be_made_does_not_load(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)

    with pytest.raises(ValueError, match=said):
        from_folder(tmp_path)


def test_the_originals_presets_keep_their_numbers_names_and_endings() -> None:
    found = {one.omkt.id: (one.omkt.slug, one.omkt.extension) for one in shipped().values() if one.omkt}

    assert found == ORIGINAL


def test_every_preset_says_in_words_what_it_does() -> None:
    assert shipped()["omkt-video-240p-flv"].title == (
        "FLV: Sorenson Spark 240p at 280 kbit/s, up to 30 frames/s; MP3 stereo at 64 kbit/s, 44.1 kHz"
    )
    assert all(preset.title for preset in shipped().values())


def test_the_page_about_presets_says_what_they_say() -> None:
    page = (Path(__file__).parents[3] / "docs" / "presets.md").read_text()

    assert [one.id for one in shipped().values() if f"`{one.id}`" not in page or one.title not in page] == []


ORIGINAL = {
    **{number: (f"video_{size}p_flv", "flv") for number, size in ((1, 240), (2, 360), (3, 480))},
    **{
        first + step: (f"video_{size}p_{name}", ending)
        for first, name, ending in ((11, "mp4", "mp4"), (21, "webm", "webm"), (31, "mpeg", "mpg"))
        for step, size in enumerate((240, 360, 480, 720, 1080))
    },
    51: ("audio_64k_mp3", "mp3"), 52: ("audio_128k_mp3", "mp3"), 53: ("audio_v0_mp3", "mp3"),
    61: ("audio_64k_vorbis", "ogg"), 62: ("audio_128k_vorbis", "ogg"), 63: ("audio_v0_vorbis", "ogg"),
    71: ("audio_64k_aac", "m4a"), 72: ("audio_128k_aac", "m4a"), 73: ("audio_192k_aac", "m4a"),
    101: ("20_original_and_small_thumbs_jpg", "jpg"),
}  # fmt: skip
