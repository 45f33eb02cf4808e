"""What was made, in words."""

from omkt_cli.show import contents, size
from omkt_cli.terminal import one_line, printable


def test_a_ladder_is_listed_rung_by_rung_with_its_sound() -> None:
    result = {
        "renditions": [
            {"width": 1280, "height": 720, "bitrate": 2_340_000},
            {"width": 640, "height": 360, "bitrate": 512_000},
        ],
        "audio": [{"codec": "aac", "channels": 2, "bitrate": 128_000}],
    }

    assert contents(result) == ["1280x720, 2.3 Mbit/s", "640x360, 512 kbit/s", "sound, AAC stereo, 128 kbit/s"]


def test_stills_are_counted() -> None:
    assert contents({"images": [{"width": 320, "height": 180}] * 10}) == ["10 images of 320x180"]


def test_a_result_of_a_newer_server_shows_what_is_understood() -> None:
    assert contents({"holograms": [{"depth": 3}]}) == []


def test_sizes_are_for_people() -> None:
    assert [size(amount) for amount in (7, 1500, 2_340_000, 5 * 10**12)] == ["7 bytes", "1.5 kB", "2.3 MB", "5000.0 GB"]


def test_names_cannot_move_the_cursor() -> None:
    assert printable("a\x1b[2Jb") == "a\\x1b[2Jb"
    assert one_line("two\nlines") == "two\\nlines"
    assert printable("lone \udcff byte") == "lone ? byte"
