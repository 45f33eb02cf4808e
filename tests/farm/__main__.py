"""The lab as a tool for developers: python -m tests.farm up | shell HOST [COMMAND…] | down."""

import sys

from tests.farm import images
from tests.farm.farm import PORT, UP, Farm
from tests.farm.lab.lab import Lab, remove
from tests.farm.lab.machine import missing
from tests.farm.lab.terminal import join

SECONDARIES = ("second", "third")


def up() -> None:
    """A main host and two secondaries that run this checkout, until `down`."""
    if lacks := missing():
        sys.exit(f"Guests need: {', '.join(lacks)}. `make farm-up` installs what can be installed.")
    farm = Farm(Lab.new(UP, images.disk()))
    try:
        farm.set_up(*SECONDARIES)
        farm.leave_running()
    except BaseException:
        print(farm.logs())
        print("The hosts still run, to be looked at: make farm-shell HOST=…, then make farm-down.", file=sys.stderr)
        raise
    finally:
        farm.close()
    inside = " ".join(farm.lab.network.inside("curl", "-H", f"'Authorization: Bearer {farm.client.key}'"))
    print("Hosts: " + ", ".join(f"{host.name} ({host.guest.address})" for host in farm.hosts))
    print(f"The API:  {inside} http://{farm.main.guest.address}:{PORT}/v1/jobs")
    print(f"A shell:  make farm-shell HOST=main    The checkout of each host is in /opt/omkt; logs: {UP}/hosts")


def shell(name: str, *words: str) -> int:
    """A shell on a host, or one command."""
    if not (UP / "hosts" / name).is_dir():
        print(f"There is no host {name!r}. `make farm-up` makes: main, {', '.join(SECONDARIES)}.", file=sys.stderr)
        return 2
    lab = Lab(UP, UP)  # the hosts run: their disk is not needed
    guest = lab.guest(name)
    if not guest.alive:
        print(f"{name} does not run. `make farm-up` starts the farm anew.", file=sys.stderr)
        return 1
    if not words:
        return join(guest)
    answer = guest.run(*words, seconds=3600, check=False)
    sys.stdout.write(answer.out)
    sys.stderr.write(answer.err)
    return answer.status


def main() -> int:
    match sys.argv[1:]:
        case ["up"]:
            up()
        case ["down"]:
            remove(UP)
        case ["shell", name, *words]:
            return shell(name, *words)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
