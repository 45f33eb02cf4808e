"""Names of uploads: for people, harmless everywhere."""

import pytest

from omkt_api.uploads import clean_name


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("film.mov", "film.mov"),
        ("a \"quoted\" 'film'.mov", "a \"quoted\" 'film'.mov"),
        ("a\r\nSet-Cookie: x=1.mov", "a Set-Cookie: x=1.mov"),
        ("two\nlines.mov", "two lines.mov"),
        ("nul\x00.mov", "nul .mov"),
        ("e\u0301te\u0301.mov", "été.mov"),
        ("\u202evom.exe", "vom.exe"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("\x00\n", None),
        ("", None),
        (None, None),
        ("x" * 300, "x" * 255),
    ],
)
def test_a_name_is_one_visible_line(name: str | None, clean: str | None) -> None:
    assert clean_name(name) == clean
