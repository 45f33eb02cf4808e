"""The name of an original is for people; nothing in it may surprise a terminal or a browser."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omkt_api.original_name import MAX_NAME_BYTES, clean_name, original_name


@pytest.mark.parametrize(
    ("header", "path", "name"),
    [
        (None, "/films/My%20Film.mp4?token=1", "My Film.mp4"),
        (None, "/", None),
        (None, "/films/..", None),
        (None, "/%2e%2e%2fetc%2fpasswd", "passwd"),
        ("attachment", "/a.mov", "a.mov"),
        ("attachment; filename=clip.mov", "/a", "clip.mov"),
        ('attachment; filename="a \\"quoted\\" name.mov"', "/a", 'a "quoted" name.mov'),
        ("attachment; filename=\"x.mov\"; filename*=UTF-8''%e2%82%ac%20rates.mov", "/a", "€ rates.mov"),
        ("attachment; filename*=iso-8859-1'en'%A3.mov", "/a", "£.mov"),
        ('attachment; filename="../../etc/cron.d/x"', "/a", "x"),
        ('attachment; filename="C:\\\\films\\\\x.mov"', "/a", "x.mov"),
        ('attachment; filename="\u202egpj.mov"', "/a", "gpj.mov"),
        ('attachment; filename="..."', "/a.mov", "a.mov"),
    ],
)
def test_the_header_comes_first_then_the_path(header: str | None, path: str, name: str | None) -> None:
    assert original_name(header, path) == name


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
        ("../../etc/passwd", "passwd"),
        ("\x00\n", None),
        ("", None),
        (None, None),
        ("x" * 300, "x" * 255),
    ],
)
def test_a_name_is_one_visible_line(name: str | None, clean: str | None) -> None:
    assert clean_name(name) == clean


def test_a_long_name_keeps_its_ending() -> None:
    name = clean_name("ü" * 300 + ".mkv")
    assert name is not None
    assert name.endswith("ü.mkv")
    assert len(name.encode()) <= MAX_NAME_BYTES


@given(st.text(max_size=400))
def test_any_name_comes_out_short_visible_and_in_one_part(text: str) -> None:
    for name in (clean_name(text), original_name(f'attachment; filename="{text}"', "/")):
        if name is not None:
            assert 0 < len(name.encode()) <= MAX_NAME_BYTES
            assert "/" not in name
            assert not any(unicodedata.category(one) == "Cc" for one in name)
            assert unicodedata.is_normalized("NFC", name)
