"""Which farm a command speaks to, and which key it shows to whom."""

from pathlib import Path

import pytest

from omkt_cli.address import find_address
from omkt_cli.farm.lock import locked
from omkt_cli.farm.place import Place
from omkt_cli.faults import Exit, Fault

HERE = "http://127.0.0.1:8080"


@pytest.fixture(autouse=True)
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = tmp_path / "config" / "omkt" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    Place(tmp_path / "farm").prepare()
    (tmp_path / "farm" / "key").write_text("omkt_embedded\n")
    return tmp_path / "farm"


def test_the_farm_that_runs_here_is_found_with_its_key(root: Path) -> None:
    with locked(Place(root), HERE):
        found = find_address(None, None, root)

    assert (found.server, found.key, found.is_kept_up) == (HERE, "omkt_embedded", True)


def test_the_embedded_farms_key_is_never_shown_to_another_server(root: Path) -> None:
    with locked(Place(root), HERE):
        found = find_address("http://elsewhere.example", None, root)

    assert (found.server, found.key, found.is_kept_up) == ("http://elsewhere.example", None, False)


def test_what_is_configured_counts_when_nothing_else_was_said(root: Path, configuration: Path) -> None:
    configuration.write_text('server = "http://farm.example"\nkey = "omkt_mine"\n')

    found = find_address(None, None, root)

    assert (found.server, found.key) == ("http://farm.example", "omkt_mine")
    assert find_address(None, "omkt_other", root).key == "omkt_other"


def test_without_any_farm_the_sentence_says_how_to_get_one(root: Path) -> None:
    with pytest.raises(Fault, match="omkt up") as caught:
        find_address(None, None, root)

    assert caught.value.exit_code is Exit.UNREACHABLE


def test_a_broken_configuration_is_named(root: Path, configuration: Path) -> None:
    configuration.write_text("server = ")

    with pytest.raises(Fault, match=r"config\.toml cannot be read"):
        find_address(None, None, root)
