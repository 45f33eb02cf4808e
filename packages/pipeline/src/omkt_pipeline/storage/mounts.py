"""How a folder is mounted, and whether that is how the share must be mounted. Pure: the kernel's table comes in as text.

The table is that of /proc/self/mountinfo (proc_pid_mountinfo(5)); the options are those of nfs(5), as the kernel shows them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from omkt_pipeline.domain.finding import Finding

_OCTAL = re.compile(r"\\([0-7]{3})")
_NFS = ("nfs", "nfs4")
#: Docker reads a volume's options once, when it makes the volume.
_AGAIN = "Then make the volume anew: docker compose down, docker volume rm omkt_share, docker compose up -d."


@dataclass(frozen=True, kw_only=True)
class Mount:
    """One line of the table."""

    point: str  #: where it is mounted
    kind: str  #: of file system: nfs4, ext4, …
    source: str  #: what is mounted: a device, or server:/path
    options: frozenset[str]  #: of the mount and of the file system together

    def value(self, name: str) -> str | None:
        """The value of an option `name=value`; None when it is not there."""
        return next((option.partition("=")[2] for option in self.options if option.startswith(f"{name}=")), None)


def parse_mounts(table: str) -> tuple[Mount, ...]:
    """Read the table, in its order. Lines that are none are left out."""
    return tuple(mount for mount in map(_parse, table.splitlines()) if mount is not None)


def mount_under(folder: str, mounts: Iterable[Mount]) -> Mount | None:
    """The mount that `folder`, absolute and without links, lies on: the deepest, and of several at one place the last."""
    path = PurePosixPath(folder)
    found: Mount | None = None
    for mount in mounts:
        if path.is_relative_to(mount.point) and (found is None or len(mount.point) >= len(found.point)):
            found = mount
    return found


def judge_mount(folder: str, mount: Mount | None) -> tuple[Finding, ...]:
    """Whether the share, here another host's folder, is mounted so that nothing is lost: a line for each thing that counts."""
    if mount is None or mount.kind not in _NFS:
        what = "not mounted" if mount is None else f"on {mount.kind} ({mount.source})"
        return (
            Finding(
                subject="share: NFS",
                found=f"{folder} is {what}, not the main host's share over NFS.",
                cure="Is OMKT_ROLE=secondary in .env, and OMKT_NFS_ADDRESS the main host's address? " + _AGAIN,
            ),
        )
    return (
        Finding(subject="share: NFS", found=f"{mount.source} is mounted at {folder}."),
        _version(mount),
        _patience(mount),
        _names(mount),
        _writable(mount),
    )


def _parse(line: str) -> Mount | None:
    before, dash, after = line.partition(" - ")
    fields, rest = before.split(" "), after.split(" ")
    if not dash or len(fields) < 6 or len(rest) < 3:
        return None
    return Mount(
        point=_plain(fields[4]),
        kind=rest[0],
        source=_plain(rest[1]),
        options=frozenset(fields[5].split(",")) | frozenset(rest[2].split(",")),
    )


def _plain(word: str) -> str:
    return _OCTAL.sub(lambda code: chr(int(code[1], 8)), word)


def _version(mount: Mount) -> Finding:
    # Before 4.1 a rename that is sent again after a cut line can be done twice; 3 needs four more daemons beside.
    version = mount.value("vers") or "unknown"
    return Finding(
        subject="share: version",
        found=f"The share speaks NFS {version}.",
        cure=None if version == "4.2" else "Mount it with nfsvers=4.2, and serve it with nfs/serve.sh. " + _AGAIN,
    )


def _patience(mount: Mount) -> Finding:
    for option in ("soft", "softerr"):
        if option in mount.options:
            return Finding(
                subject="share: hard",
                found=f"The share is mounted {option}: a write may fail half done when the main host is away.",
                cure=f"Write hard instead of {option} in the volume's options. " + _AGAIN,
            )
    return Finding(subject="share: hard", found="A write waits for a server that is away.")


def _names(mount: Mount) -> Finding:
    # The kernel shows "pos" for "positive", and nothing for the default, which is "all".
    if mount.value("lookupcache") in ("pos", "positive", "none"):
        return Finding(subject="share: names", found="A name that was missing is asked for again.")
    return Finding(
        subject="share: names",
        found="The share remembers for up to a minute that a name was missing: files made elsewhere seem lost.",
        cure="Add lookupcache=positive to the volume's options. " + _AGAIN,
    )


def _writable(mount: Mount) -> Finding:
    if "ro" not in mount.options:
        return Finding(subject="share: writable", found="The share is mounted to be written.")
    return Finding(
        subject="share: writable",
        found="The share is mounted to be read only.",
        cure="Write rw instead of ro in the volume's options. " + _AGAIN,
    )
