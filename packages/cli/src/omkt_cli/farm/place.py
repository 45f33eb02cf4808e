"""Where an embedded farm lies, and whether that place will do."""

import os
from dataclasses import dataclass
from pathlib import Path

from omkt_cli.faults import Exit, Fault

DEFAULT_ROOT = Path("var/farm")
#: SQLite's write-ahead log needs memory that all its processes share, and locks that hold: a network gives neither.
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "fuse.sshfs", "fuse.glusterfs"}
)
_MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True)
class Place:
    """The folder of one embedded farm."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "farm.db"

    @property
    def share(self) -> Path:
        return self.root / "share"

    @property
    def scratch(self) -> Path:
        return self.root / "scratch"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """What only matters while the farm runs."""
        return self.root / "run"

    @property
    def lock(self) -> Path:
        return self.root / "farm.lock"

    @property
    def key_file(self) -> Path:
        return self.root / "key"

    @property
    def port_file(self) -> Path:
        """The port of the last time: links that were handed out stay good."""
        return self.root / "port"

    def key(self) -> str | None:
        """The key of this farm's own account, if it has one yet."""
        try:
            return self.key_file.read_text().strip() or None
        except OSError:
            return None

    def prepare(self) -> None:
        """Make the folders, for this user alone. Raises Fault when the place will not do."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self.scratch, self.logs, self.run):
                folder.mkdir(exist_ok=True)
        except OSError as error:
            raise Fault(
                f"{self.root} cannot hold a farm: {error.strerror}. Name another folder with --root.", Exit.USAGE
            ) from error
        for used in (self.root, self.database, self.lock):
            if used.exists() and not os.access(used, os.R_OK | os.W_OK):
                raise Fault(
                    f"{used} belongs to another user, who ran a farm here. Name another folder with --root.", Exit.USAGE
                )
        filesystem = filesystem_of(self.root.resolve(), _MOUNTS.read_text() if _MOUNTS.exists() else "")
        if filesystem in _NETWORK:
            raise Fault(
                f"{self.root} lies on a network file system ({filesystem}), where SQLite is not safe. Name a folder on "
                "a local disk with --root, or run the farm in containers, which uses MySQL.",
                Exit.USAGE,
            )


def filesystem_of(path: Path, mounts: str) -> str:
    """The type of the file system that holds `path`, an absolute one, by the text of /proc/self/mountinfo."""
    best, found = -1, "unknown"
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        # Spaces and the like are written as octal escapes.
        point = Path(fields[4].encode().decode("unicode_escape").encode("latin-1").decode(errors="replace"))
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, found = len(point.parts), after.split()[0]
    return found


def default_root() -> Path:
    """OMKT_FARM, or ./var/farm."""
    return Path(os.environ.get("OMKT_FARM") or DEFAULT_ROOT)
