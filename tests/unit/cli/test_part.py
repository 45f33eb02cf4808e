import pytest

from omkt_cli.part import read_part, trimmed


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("12.5-27", {"start": 12.5, "end": 27.0}),
        ("1:05-", {"start": 65.0}),
        ("-30", {"start": 0.0, "end": 30.0}),
        (" 0:30 - 1:02:03.5 ", {"start": 30.0, "end": 3723.5}),
    ],
)
def test_a_part_is_read_as_people_write_it(text: str, meant: dict[str, float]) -> None:
    assert read_part(text) == meant


@pytest.mark.parametrize("text", ["", "-", "12", "a-b", "5-4", "5-5", "1--2"])
def test_what_is_no_part_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_part(text)


def test_every_preset_makes_the_part() -> None:
    assert trimmed(["a"], None) == ["a"]
    assert trimmed(["a", "b"], {"start": 1.0}) == [
        {"preset": name, "settings": {"trim": {"start": 1.0}}} for name in "ab"
    ]
