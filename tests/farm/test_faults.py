"""Faults of hosts, cables, clocks and shares. Each may cost time, and nothing else. Their numbers: docs/faults.md."""

import time
from pathlib import Path
from random import Random

import pytest

from tests.farm.client import wait_for
from tests.farm.farm import Farm
from tests.farm.host import CHECKOUT, Host
from tests.farm.verdict import judge

#: Longer than a lease (farm.py) and its rescue; a wait, never a measure.
OVER_A_LEASE = 45.0


def begun(farm: Farm, film: Path, chance: Random) -> tuple[str, Host]:
    """A job in the middle of its encodes, and a host that works on one of them now."""
    key = farm.client.submit(film, chance.choice(("mp4-720p", "hls-h264")))

    def working() -> str:
        return str(
            wait_for(lambda: farm.client.running(key), seconds=300, what=lambda: f"an encode: {farm.client.tasks(key)}")
        )

    working()
    time.sleep(chance.uniform(0, 3))
    return key, farm.secondaries[working()]


def outcomes(farm: Farm, key: str) -> set[str]:
    return {tried["outcome"] for task in farm.client.tasks(key) for tried in task["history"]}


@pytest.mark.short
def test_8_power_loss_of_a_secondary(farm: Farm, films: Path, chance: Random) -> None:
    key, host = begun(farm, films / "long.mp4", chance)

    host.guest.kill()

    assert farm.client.ended(key)["state"] == "succeeded"
    farm.restore()
    judge(farm)


def test_9_power_loss_of_the_main_host(farm: Farm, films: Path, chance: Random) -> None:
    done = farm.client.submit(films / "short.mp4", "mp4-720p")
    farm.client.ended(done)
    key, _ = begun(farm, films / "long.mp4", chance)

    farm.main.guest.kill()
    time.sleep(chance.uniform(0, 5))
    farm.main.guest.boot(media_disk=True)

    assert farm.client.ended(key, seconds=900)["state"] == "succeeded"
    judge(farm)


def test_10_power_loss_of_everything(farm: Farm, films: Path, chance: Random) -> None:
    key, _ = begun(farm, films / "long.mp4", chance)
    hosts = farm.hosts
    chance.shuffle(hosts)

    for host in hosts:
        host.guest.kill()
    chance.shuffle(hosts)
    for host in hosts:
        host.guest.boot(media_disk=host is farm.main)

    assert farm.client.ended(key, seconds=1200)["state"] == "succeeded"
    farm.restore()
    judge(farm)


def test_11_an_async_export_is_caught_before_it_loses_anything(farm: Farm, films: Path) -> None:
    """With `async` a power loss takes back what the server confirmed: no secondary works on such a share."""
    main = farm.main.guest
    host = farm.secondaries["second"]

    main.sh("sed -i 's/(rw,sync,/(rw,async,/' /etc/exports.d/omkt.exports && exportfs -ra")
    wait_for(
        lambda: farm.main.said("courier", "exports_unsafe"),
        seconds=180,
        what="V6: the main host says that it is unsafe",
    )
    host.compose("restart", "transcoder", "metadata")
    farm.secondaries["third"].compose("restart", "transcoder", "metadata")
    key = farm.client.submit(films / "short.mp4", "mp4-720p")
    wait_for(
        lambda: any("async" in str(event) for event in host.said("metadata", "claims")),
        seconds=180,
        what="V6: the secondary says why it takes no work",
    )
    assert farm.client.hosts_of(key) == set()
    main.sh("sed -i 's/(rw,async,/(rw,sync,/' /etc/exports.d/omkt.exports && exportfs -ra")

    assert farm.client.ended(key, seconds=900)["state"] == "succeeded"
    judge(farm)


def test_11_what_an_async_export_would_have_lost(farm: Farm) -> None:
    """Proves that a power loss of a guest is one: confirmed files are gone with async, and all there with sync."""
    main, host = farm.main.guest, farm.secondaries["second"].guest
    host.sh(f"mkdir -p /mnt/share && mount -t nfs4 -o vers=4.2,hard {main.address}:/ /mnt/share")
    survived = {}
    for mode in ("async", "sync"):
        main.sh(f"sed -i -E 's/\\(rw,a?sync,/(rw,{mode},/' /etc/exports.d/omkt.exports && exportfs -ra")
        host.sh(f"mkdir -p /mnt/share/incoming/{mode} && sync -f /mnt/share")
        time.sleep(6)  # the journal's own interval: the folder itself is not what is looked at
        host.sh(
            f"cd /mnt/share/incoming/{mode}; for n in 1 2 3 4 5 6 7 8; do "
            "dd if=/dev/urandom of=part-$n bs=64k count=1 conv=fsync status=none; mv part-$n file-$n; done"
        )
        main.kill()
        main.boot(media_disk=True)
        survived[mode] = len(main.sh(f"find /srv/omkt/incoming/{mode} -name 'file-*' -size 64k").split())
    main.sh("rm -rf /srv/omkt/incoming/sync /srv/omkt/incoming/async")
    host.sh("umount -f -l /mnt/share")
    farm.restore()

    assert survived["sync"] == 8, survived
    assert survived["async"] < 8, survived


def test_17_a_secondary_loses_the_database_alone(farm: Farm, films: Path, chance: Random) -> None:
    key, host = begun(farm, films / "long.mp4", chance)

    host.guest.sh("iptables -I DOCKER-USER -p tcp --dport 3306 -j DROP")
    time.sleep(OVER_A_LEASE)
    host.guest.sh("iptables -D DOCKER-USER -p tcp --dport 3306 -j DROP")

    assert farm.client.ended(key)["state"] == "succeeded"
    assert host.said("transcoder", "self_stop") or host.said("transcoder", "beat_failed"), "V6: it says that beats fail"
    judge(farm)


def test_18_a_secondary_loses_the_share_alone(farm: Farm, films: Path, chance: Random) -> None:
    key, host = begun(farm, films / "long.mp4", chance)

    host.guest.sh("iptables -I OUTPUT -p tcp --dport 2049 -j DROP")
    job = farm.client.ended(key, seconds=900)
    host.guest.sh("iptables -D OUTPUT -p tcp --dport 2049 -j DROP")

    assert job["state"] == "succeeded", job
    judge(farm)


def test_19_a_secondary_is_cut_off_for_long_and_comes_back(farm: Farm, films: Path, chance: Random) -> None:
    key, host = begun(farm, films / "long.mp4", chance)

    host.guest.cut_cable()
    job = farm.client.ended(key)
    time.sleep(OVER_A_LEASE)
    host.guest.join_cable()

    assert job["state"] == "succeeded", job
    assert host.name not in {
        tried["host"] for task in farm.client.tasks(key) if task["kind"] == "package" for tried in task["history"]
    }
    again = farm.client.submit(films / "short.mp4", "mp4-720p")
    assert farm.client.ended(again)["state"] == "succeeded"
    judge(farm)


@pytest.mark.parametrize(
    "netem",
    ["loss 30%", "delay 200ms 50ms", "rate 1mbit", "loss 100%"],
    ids=["loss", "delay", "slow", "one-way"],
)
def test_20_a_bad_network(farm: Farm, films: Path, chance: Random, netem: str) -> None:
    key, host = begun(farm, films / "long.mp4", chance)

    host.guest.worsen_network(*netem.split())
    job = farm.client.ended(key, seconds=1200)
    host.guest.worsen_network()

    assert job["state"] == "succeeded", job
    judge(farm)


def test_22_a_zombie_wakes_after_its_folder_is_gone(farm: Farm, films: Path, chance: Random) -> None:
    key, host = begun(farm, films / "long.mp4", chance)
    containers = host.containers("transcoder")

    host.guest.run("docker", "pause", *containers)
    job = farm.client.ended(key)
    farm.main.guest.sh(f"rm -rf /srv/omkt/staging/{key}")
    host.guest.run("docker", "unpause", *containers)

    assert job["state"] == "succeeded", job
    wait_for(
        lambda: host.said("transcoder", "self_stop") or host.said("transcoder", "fenced"),
        seconds=120,
        what="V6: fenced",
    )
    judge(farm)


@pytest.mark.parametrize("down", [1, 10, 100])
def test_23_the_nfs_server_restarts(farm: Farm, films: Path, chance: Random, down: int) -> None:
    key, _ = begun(farm, films / "long.mp4", chance)

    farm.main.guest.sh("sh /lab/guest/nfs-server.sh stop")
    time.sleep(down)
    farm.main.guest.sh("sh /lab/guest/nfs-server.sh start")

    assert farm.client.ended(key, seconds=900)["state"] == "succeeded"
    judge(farm)


def test_24_an_empty_folder_where_the_share_was(farm: Farm, films: Path, chance: Random) -> None:
    main = farm.main.guest
    key, _ = begun(farm, films / "long.mp4", chance)

    main.sh(
        "sh /lab/guest/nfs-server.sh stop; mkdir -p /srv/other; chown 20000:20000 /srv/other; "
        "mount --bind /srv/other /srv/omkt; sh /lab/guest/nfs-server.sh start"
    )
    time.sleep(OVER_A_LEASE)
    written = main.sh("find /srv/other -mindepth 1")
    main.sh("sh /lab/guest/nfs-server.sh stop; umount /srv/omkt; sh /lab/guest/nfs-server.sh start")

    assert written == "", "V3: nothing is written to what is not the share"
    assert farm.client.ended(key, seconds=900)["state"] == "succeeded"
    judge(farm)


@pytest.mark.parametrize("full", ["share", "scratch"])
def test_25_a_disk_is_full(farm: Farm, films: Path, chance: Random, full: str) -> None:
    key, host = begun(farm, films / "long.mp4", chance)
    guests = [farm.main.guest] if full == "share" else [one.guest for one in farm.secondaries.values()]
    folder = "/srv/omkt" if full == "share" else "/var/lib/docker"

    for guest in guests:
        guest.sh(f"fallocate -l $(( ($(stat -f -c '%a*%S' {folder})) - 4000000 )) {folder}/filler")
    waiting = farm.client.submit(films / "short.mp4", "mp4-720p") if full == "scratch" else None
    wait_for(lambda: host.said("transcoder", "claims"), seconds=180, what="V6: claims pause and say why")
    for guest in guests:
        guest.sh(f"rm {folder}/filler")

    for one in filter(None, (key, waiting)):
        assert farm.client.ended(one, seconds=900)["state"] == "succeeded"
    judge(farm)


def test_26_a_name_that_was_asked_for_too_early_is_found_once_it_is_there(farm: Farm, seed: int) -> None:
    (host, *_) = farm.secondaries.values()
    (container, *_) = host.containers("transcoder")
    name = f"incoming/early-{seed}"
    assert host.guest.run("docker", "exec", container, "stat", f"/share/{name}", check=False).status != 0

    farm.main.guest.sh(f"touch /srv/omkt/{name}")

    # A client that trusts its list of missing names looks again after 30 to 60 seconds.
    wait_for(
        lambda: host.guest.run("docker", "exec", container, "stat", f"/share/{name}", check=False).status == 0,
        seconds=20,
        what="the file to be seen on the secondary",
    )
    farm.main.guest.sh(f"rm /srv/omkt/{name}")


def test_32_a_host_is_drained_under_load(farm: Farm, films: Path, chance: Random) -> None:
    key, host = begun(farm, films / "long.mp4", chance)

    host.compose("stop", "transcoder", "metadata")

    assert farm.client.ended(key)["state"] == "succeeded"
    assert outcomes(farm, key) <= {"ok", "released"}, outcomes(farm, key)
    farm.restore()
    judge(farm)


def test_28_two_hosts_of_one_name(farm: Farm, films: Path) -> None:
    """A machine that was set up with another's invitation is refused with a reason; the first goes on."""
    twin = Host(farm.lab.guest("twin"))
    twin.guest.boot()
    twin.check_out()
    twin.guest.write("/root/env", farm.secondaries["second"].guest.run("cat", f"{CHECKOUT}/.env").out)
    twin.guest.sh(f"mkdir -p {CHECKOUT}/compose/secrets && cp /root/env {CHECKOUT}/.env")
    secret = f"{CHECKOUT}/compose/secrets/omkt_database_password"
    twin.guest.write(secret, farm.secondaries["second"].guest.run("cat", secret).out)

    twin.compose("up", "-d", seconds=900)

    refused = wait_for(
        lambda: twin.said("transcoder", "refused") or twin.said("transcoder", "waiting"),
        seconds=300,
        what="V6: the second host of the name says why it does not begin",
    )
    assert "second" in str(refused)
    key = farm.client.submit(films / "short.mp4", "mp4-720p")
    assert farm.client.ended(key)["state"] == "succeeded"
    twin.compose("down")
    twin.guest.shut_down()
    judge(farm)
