"""One farm on one folder at a time."""

import os
from pathlib import Path

import pytest

from omkt_cli.farm.lock import AlreadyRunning, RunningFarm, locked, running_farm_of
from omkt_cli.farm.place import Place


def test_a_second_farm_is_told_who_holds_the_place(tmp_path: Path) -> None:
    place = Place(tmp_path)

    with (
        locked(place, "http://127.0.0.1:8080"),
        pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"),
        locked(place, "http://127.0.0.1:9090"),
    ):
        raise AssertionError("two farms on one place")


def test_a_client_finds_the_farm_that_holds_the_place(tmp_path: Path) -> None:
    place = Place(tmp_path)

    with locked(place, "http://127.0.0.1:8080"):
        assert running_farm_of(place) == RunningFarm(pid=os.getpid(), url="http://127.0.0.1:8080")


def test_a_place_that_was_left_is_free(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with locked(place, "http://127.0.0.1:8080"):
        pass

    assert running_farm_of(place) is None
    with locked(place, "http://127.0.0.1:8080"):
        pass


def test_a_lock_file_that_nobody_holds_means_nothing(tmp_path: Path) -> None:
    (tmp_path / "farm.lock").write_text('{"pid": 1, "url": "http://127.0.0.1:8080"}')

    assert running_farm_of(Place(tmp_path)) is None
