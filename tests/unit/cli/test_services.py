"""How the services of an embedded farm are started."""

import socket
from pathlib import Path

import pytest

from omkt_cli.farm.place import Place
from omkt_cli.farm.services import choose_port, services
from omkt_cli.faults import Exit, Fault


def test_each_service_gets_the_place_and_a_scratch_of_its_own(tmp_path: Path) -> None:
    team = {service.name: service for service in services(Place(tmp_path), 8080, {"PATH": "/bin"})}

    assert list(team) == ["api", "courier", "metadata", "transcoder"]
    transcoder = team["transcoder"].environment
    assert transcoder["OMKT_SHARE_ROOT"] == str(tmp_path / "share")
    assert transcoder["OMKT_SCRATCH_ROOT"] == str(tmp_path / "scratch" / "transcoder")
    assert transcoder["PATH"] == "/bin"
    assert len({service.environment["OMKT_SCRATCH_ROOT"] for service in team.values()}) == 4


def test_the_environment_may_tune_but_not_move_a_farm(tmp_path: Path) -> None:
    given = {"OMKT_LEASE_SECONDS": "4", "OMKT_DATABASE_URL": "mysql://elsewhere", "OMKT_METRICS_BIND": ":9100"}

    environment = services(Place(tmp_path), 8080, given)[0].environment

    assert environment["OMKT_LEASE_SECONDS"] == "4"
    assert environment["OMKT_DATABASE_URL"].startswith("sqlite:///")
    assert "OMKT_METRICS_BIND" not in environment


def test_nothing_opens_the_way_to_private_networks(tmp_path: Path) -> None:
    for service in services(Place(tmp_path), 8080, {}):
        assert "OMKT_ALLOWED_NETWORKS" not in service.environment


def test_a_port_that_was_asked_for_and_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]

        with pytest.raises(Fault, match=f"Port {taken} is taken") as caught:
            choose_port(Place(tmp_path), taken, {})

    assert caught.value.exit_code is Exit.USAGE


def test_the_port_of_the_last_time_is_taken_again_if_it_is_free(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        last = other.getsockname()[1]
        place.port_file.write_text(str(last))

        assert choose_port(place, None, {}) != last

    assert choose_port(place, None, {}) == last
