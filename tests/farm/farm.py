"""The whole farm in a lab: a main host that serves and transcodes nothing, and secondaries that do the work."""

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from tests.farm.client import Client
from tests.farm.host import CHECKOUT, Host
from tests.farm.images import VERSION
from tests.farm.lab.guest import GuestFailed
from tests.farm.lab.lab import Lab
from tests.farm.lab.network import SUBNET

ROOT = Path(__file__).resolve().parents[2]
_DEPLOYED = ("compose.yaml", "compose", "nfs")
#: Faults are noticed soon, and a tired one-core guest is given patience. Lines of .env, as an operator writes them.
SETTINGS = {
    "OMKT_LEASE_SECONDS": "20",
    "OMKT_BEAT_SECONDS": "2",
    "OMKT_BACKOFF_SECONDS": "2",
    "OMKT_GRACE_SECONDS": "5",
    "OMKT_STALL_SECONDS": "60",
    "OMKT_SHARE_FREE_FLOOR": "50000000",
    "OMKT_SCRATCH_FREE_FLOOR": "50000000",
}
PORT = 8080
#: Where `make farm-up` keeps its farm.
UP = ROOT / "var" / "farm" / "up"


class Farm:
    """A main host and its secondaries, by name."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.main = Host(lab.guest("main", megabytes=2048))
        self.secondaries: dict[str, Host] = {}
        self._inviting = Lock()
        self.client = Client(lab.folder, lab.network, self.main.guest.address, PORT)

    @classmethod
    def running_in(cls, folder: Path) -> "Farm":
        """The farm that `make farm-up` left running in this folder."""
        told = json.loads((folder / "farm.json").read_text())
        farm = cls(Lab(folder, Path(told["disk"])))
        farm.client.key = told["key"]
        for name in told["secondaries"]:
            farm._secondary(name)
        return farm

    def leave_running(self) -> None:
        """Write down what `running_in` needs to know."""
        told = {"key": self.client.key, "disk": str(self.lab.disk), "secondaries": list(self.secondaries)}
        (self.lab.folder / "farm.json").write_text(json.dumps(told))

    def close(self) -> None:
        self.client.close()

    @property
    def hosts(self) -> list[Host]:
        return [self.main, *self.secondaries.values()]

    def set_up_main(self) -> None:
        """From nothing to an API that answers, as docs/operations.md says: the share, the secrets, the services, an account."""
        guest = self.main.guest
        guest.boot(media_disk=True)
        self.main.check_out()
        guest.sh(f"cd {CHECKOUT} && sh nfs/serve.sh {SUBNET} && sh compose/init.sh")
        self.main.settings(
            SETTINGS
            | {
                "OMKT_ROLE": "main",
                "COMPOSE_PROFILES": "main",
                "OMKT_PRIVATE_ADDRESS": guest.address,
                "OMKT_HTTP_BIND": guest.address,
                "OMKT_VERSION": VERSION,
            }
        )
        self.bring_up(self.main)
        made = self.main.compose("exec", "-T", "api", "omkt", "accounts", "create", "tester", "--json")
        self.client.key = json.loads(made)["key"]

    def set_up(self, *names: str) -> None:
        """A main host and further ones. While the main host is set up, the machines of the others boot."""
        copy_checkout(self.lab.folder / "checkout")
        with ThreadPoolExecutor() as pool:
            booting = [pool.submit(self._booted, self._secondary(name)) for name in names]
            self.set_up_main()
            for joined in [pool.submit(self._join, booted.result()) for booted in booting]:
                joined.result()

    def machine(self, name: str) -> Host:
        """A further machine, with Docker and the checkout, that is no host of the farm yet."""
        return self._booted(self._secondary(name))

    def _booted(self, host: Host) -> Host:
        """An empty machine with Docker and the checkout."""
        host.guest.boot()
        host.check_out()
        return host

    def _join(self, host: Host) -> None:
        """Make a machine a further host, with the invitation that the main host prints."""
        with self._inviting:
            invitation = self.main.compose("run", "--rm", "-T", "admin", "hosts", "invite", host.name)
        host.guest.write("/root/invitation", invitation)
        host.guest.sh(f"cd {CHECKOUT} && sh compose/join.sh /root/invitation")
        host.settings(SETTINGS)
        self.bring_up(host)

    def bring_up(self, host: Host, *words: str) -> None:
        host.compose("up", "-d", "--wait", "--wait-timeout", "600", *words, seconds=900)

    def restore(self) -> None:
        """Power, cables and services are back, as by a person who was called; harmless where nothing is wrong."""
        self._restore(self.main)  # the others wait for its database and its share
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._restore, self.secondaries.values()))

    def _restore(self, host: Host) -> None:
        host.guest.join_cable()
        if not host.guest.alive:
            host.guest.boot(media_disk=host is self.main)
            host.guest.sh("until docker version; do sleep 0.5; done")
        host.guest.worsen_network()
        self.bring_up(host)

    def logs(self) -> str:
        """What all hosts have to say about a test that failed."""
        told = [self.lab.logs()]
        for host in self.hosts:
            try:
                told.append(
                    f"--- {host.name}: services\n"
                    + host.compose("logs", "--no-color", "--tail", "40", seconds=60, check=False)
                )
                told.append(host.compose("ps", "-a", seconds=60, check=False))
                told.append(
                    host.guest.sh(
                        "tail -n 20 /var/log/boot.log /var/log/dockerd.log; dmesg | tail -n 20", seconds=60, check=False
                    )
                )
            except GuestFailed as gone:
                told.append(f"--- {host.name}: {gone}")
        return "\n".join(told)

    def _secondary(self, name: str) -> Host:
        self.secondaries[name] = Host(self.lab.guest(name))
        return self.secondaries[name]


def copy_checkout(target: Path) -> None:
    """Everything that a host gets of this checkout: what git knows of it, as it lies here now."""
    listed = subprocess.run(["git", "ls-files", "-z", "--", *_DEPLOYED], cwd=ROOT, capture_output=True, check=True)
    untracked = subprocess.run(
        ["git", "ls-files", "-z", "--others", "--exclude-standard", "--", *_DEPLOYED],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, (listed.stdout + untracked.stdout).decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
