"""docs/operations.md is followed, word for word, while the farm has work."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm import images, runbook
from tests.farm.client import wait_for
from tests.farm.farm import ROOT, SETTINGS, Farm, copy_checkout
from tests.farm.host import CHECKOUT
from tests.farm.lab.lab import Lab, remove
from tests.farm.lab.network import SUBNET
from tests.farm.verdict import judge

_FOLDER = ROOT / "var" / "farm" / "one"
NAMES = {"encoder-2": "third", "10.0.0.0/24": SUBNET, "transcoder=4": "transcoder=1"}


def a_job_is_done(farm: Farm, films: Path) -> str:
    key = farm.client.submit(films / "short.mp4", "mp4-720p")
    assert farm.client.ended(key)["state"] == "succeeded"
    return key


def users_of_hosts(farm: Farm) -> set[str]:
    """Who may come into the database from elsewhere."""
    question = "SELECT user FROM mysql.user WHERE user LIKE 'omkt%'"
    program = f'MYSQL_PWD=$(cat /run/secrets/omkt_database_root_password) mysql -u root -N -e "{question}"'
    return set(farm.main.compose("exec", "-T", "mysql", "sh", "-c", program).split())


def add_third(farm: Farm) -> None:
    """With what the runbook has carried from host to host."""
    invite, join = runbook.steps("Adding a secondary host")
    runbook.take(farm, invite, NAMES)
    for name in ("third.invitation", "images.tar.gz"):
        farm.main.guest.sh(f"mv {CHECKOUT}/{name} /lab/")
        farm.secondaries["third"].guest.sh(f"mv /lab/{name} {CHECKOUT}/")
    runbook.take(farm, join, NAMES)


@pytest.fixture
def machine() -> Iterator[Farm]:
    """A machine of its own with Docker, the images and the checkout, that may become a farm."""
    farm = Farm(Lab.new(_FOLDER, images.disk()))
    try:
        copy_checkout(farm.lab.folder / "checkout")
        farm.main.guest.boot(media_disk=True)
        farm.main.check_out()
        yield farm
    finally:
        farm.close()
        remove(_FOLDER)


def test_one_host_becomes_a_farm_of_two(machine: Farm, films: Path) -> None:
    main = machine.main
    # What a test needs, before the first start: its images, and a port that is seen from outside.
    main.guest.write(f"{CHECKOUT}/.env", "")
    main.settings({"OMKT_VERSION": images.VERSION, "OMKT_HTTP_BIND": main.guest.address} | SETTINGS)
    runbook.follow(machine, "First start", NAMES)
    machine.client.key = json.loads(
        main.compose("exec", "-T", "api", "omkt", "accounts", "create", "tester", "--json")
    )["key"]
    before = a_job_is_done(machine, films)
    assert machine.client.hosts_of(before) == {"main"}

    export, carry = runbook.steps("From one host to several")
    runbook.take(machine, export, NAMES)
    main.settings({"OMKT_ROLE": "main", "OMKT_PRIVATE_ADDRESS": main.guest.address})
    runbook.take(machine, carry, NAMES | {"omkt-transcoder:local": f"omkt-transcoder:{images.VERSION}"})
    machine.client.read(before, "mp4-720p")

    machine.machine("third")
    add_third(machine)
    main.compose("run", "--rm", "-T", "admin", "hosts", "drain", "main")
    wait_for(
        lambda: machine.client.hosts_of(a_job_is_done(machine, films)) == {"third"}, seconds=300, what="the new host"
    )
    judge(machine)


def test_a_secondary_host_is_removed_and_comes_again(farm: Farm, films: Path) -> None:
    third = farm.secondaries["third"]
    under_way = farm.client.submit(films / "long.mp4", "mp4-720p")
    before = users_of_hosts(farm)

    runbook.follow(farm, "Removing a secondary host", NAMES)

    assert len(before - users_of_hosts(farm)) == 1
    assert third.compose("ps", "-aq").split() == []
    assert farm.client.ended(under_way)["state"] == "succeeded"
    assert "third" not in farm.client.hosts_of(a_job_is_done(farm, films))

    add_third(farm)

    assert users_of_hosts(farm) == before
    farm.main.compose("run", "--rm", "-T", "admin", "hosts", "drain", "second")
    wait_for(
        lambda: farm.client.hosts_of(a_job_is_done(farm, films)) == {"third"}, seconds=300, what="third to do it all"
    )
    farm.main.compose("run", "--rm", "-T", "admin", "hosts", "resume", "second")
    judge(farm)


def test_the_database_is_restored_to_a_state_that_is_older_than_the_files(farm: Farm, films: Path) -> None:
    farm.main.guest.sh("mkdir -p /mnt/backup")
    done = a_job_is_done(farm, films)
    under_way = farm.client.submit(films / "long.mp4", "mp4-720p")
    wait_for(lambda: farm.client.running(under_way), seconds=300, what="an encode")
    dump, *restore = runbook.steps("Backup and restore")

    runbook.take(farm, dump, NAMES)
    assert farm.client.ended(under_way)["state"] == "succeeded"
    later = a_job_is_done(farm, films)
    for step in restore:
        runbook.take(farm, step, NAMES)

    farm.client.forget(later)
    farm.client.forget(under_way, promise=False)  # what was made after the backup may be made anew
    assert farm.client.request("GET", f"/v1/jobs/{later}").status_code == 404
    assert farm.client.ended(under_way)["state"] == "succeeded"
    farm.client.read(done, "mp4-720p")
    a_job_is_done(farm, films)
    judge(farm)


def test_the_share_moves_to_another_disk_and_back(farm: Farm, films: Path) -> None:
    done = a_job_is_done(farm, films)
    under_way = farm.client.submit(films / "long.mp4", "mp4-720p")
    wait_for(lambda: farm.client.running(under_way), seconds=300, what="an encode")
    farm.main.guest.sh("mkdir -p /data")

    runbook.follow(farm, "Moving the share", NAMES)

    farm.client.read(done, "mp4-720p")
    assert farm.client.ended(under_way)["state"] == "succeeded"
    found = farm.main.guest.sh(f"ls /data/omkt/results/{a_job_is_done(farm, films)}")
    assert "mp4-720p" in found
    judge(farm)

    farm.main.guest.sh("rm -rf /srv/omkt/* /srv/omkt/.omkt-share")
    runbook.follow(
        farm,
        "Moving the share",
        NAMES | {"/srv/omkt/ /data/omkt/": "/data/omkt/ /srv/omkt/", "=/data/omkt": "=/srv/omkt"},
    )

    a_job_is_done(farm, films)
    judge(farm)
