"""A lab: some guests, their network, and a folder where everything about them lies."""

import shutil
from pathlib import Path

from tests.farm.lab.guest import Guest, end
from tests.farm.lab.network import Network
from tests.farm.lab.registers import prepare

_GUEST_FILES = Path(__file__).parent / "guest"


class Lab:
    """Guests by name. One lab lives in one folder; opening it again first removes what a crash left of it."""

    def __init__(self, folder: Path, disk: Path) -> None:
        self.folder, self.disk = folder.resolve(), disk
        self.network = Network.of(self.folder)
        self.guests: dict[str, Guest] = {}

    @classmethod
    def new(cls, folder: Path, disk: Path) -> "Lab":
        """An empty lab in this folder, whatever was there before."""
        remove(folder)
        lab = cls(folder, disk)
        lab.folder.mkdir(parents=True)
        shutil.copytree(_GUEST_FILES, lab.folder / "guest")
        # a name of our own for the disk: the cache may drop its name while our guests still need it to boot again
        lab.disk = lab.folder / disk.name
        lab.disk.hardlink_to(disk)
        lab.network.make()
        prepare(lab.folder)
        return lab

    def guest(self, name: str, *, megabytes: int = 1536) -> Guest:
        """A guest by name; a new name is a new host, which is not booted yet."""
        if name not in self.guests:
            number = len(self.guests) + 1
            self.guests[name] = Guest(self.folder, self.network, name, number, megabytes=megabytes, backing=self.disk)
        return self.guests[name]

    def logs(self) -> str:
        """The ends of all guests' logs."""
        return "\n".join(guest.logs() for guest in self.guests.values())


def remove(folder: Path) -> None:
    """End the guests of the lab in this folder, its network and its files. Touches nothing else; again is harmless."""
    folder = folder.resolve()
    for path in folder.glob("hosts/*/pid"):
        end(int(path.read_text()), folder)
    Network.of(folder).remove()
    shutil.rmtree(folder, ignore_errors=True)
