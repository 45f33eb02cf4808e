"""Edit lists: which samples a reader of a track gets, and with which times."""

from typing import Any

from omkt_pipeline.media.edit_lists import EMPTY, Edit, Samples, shown


def pictures(count: int = 6, *, keys: tuple[int, ...] = (0,), **more: Any) -> Samples:
    """A picture each ten units, at a hundred units a second."""
    decoded = range(0, 10 * count, 10)
    return Samples(
        **{"clock": 100, "sound": False, "decoded": decoded, "offsets": (), "lead": 0, "keys": keys, "last": 10, **more}
    )


def sound(count: int) -> Samples:
    return pictures(count, keys=tuple(range(count)), sound=True)


def test_without_a_list_all_is_shown_as_it_is() -> None:
    assert shown(pictures(3), []) == ([0, 1, 2], [0, 10, 20], True)


def test_an_empty_edit_comes_before_the_film() -> None:
    assert shown(pictures(3), [Edit(50, EMPTY), Edit(30, 0)]) == ([0, 1, 2], [50, 60, 70], True)


def test_pictures_that_wait_for_later_ones_begin_at_zero() -> None:
    b_pictures = pictures(3, offsets=(10, 20, 0))

    numbers, decoded, _ = shown(b_pictures, [Edit(30, 10)])

    assert (numbers, decoded) == ([0, 1, 2], [-10, 0, 10])


def test_reading_begins_at_the_key_frame_before_an_edit_and_ends_at_the_one_behind_it() -> None:
    numbers, decoded, visible = shown(pictures(9, keys=(0, 3, 6)), [Edit(10, 40)])

    assert (numbers, decoded, visible) == ([3, 4, 5, 6], [-10, 0, 10, 20], True)


def test_a_sound_is_read_from_a_second_before_its_edit() -> None:
    numbers, decoded, _ = shown(sound(30), [Edit(20, 205)])

    assert numbers == list(range(10, 23))
    assert decoded[9:12] == [-15, -5, 5]  # the edit begins in the middle of the eleventh


def test_an_edit_behind_the_last_picture_shows_nothing() -> None:
    assert not shown(pictures(3), [Edit(50, 100)]).visible
