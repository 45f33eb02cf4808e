"""Tries on the share what the farm relies on: write, fsync, rename, see, own, delete. Thin; what it means is said in words."""

import errno
import os
import secrets
import time
from pathlib import Path

from omkt_pipeline.domain.errors import OmktError
from omkt_pipeline.domain.finding import Finding
from omkt_pipeline.storage import layout
from omkt_pipeline.storage.mounts import judge_mount, mount_under, parse_mounts
from omkt_pipeline.storage.share import Share, sync_folder

_TABLE = Path("/proc/self/mountinfo")
_BYTES = 4 << 20

_CURES = {
    errno.EACCES: "Give the main host's folder to the farm's user (chown 20000:20000), or run nfs/serve.sh there again.",
    errno.EPERM: "Give the main host's folder to the farm's user (chown 20000:20000), or run nfs/serve.sh there again.",
    errno.EROFS: "The main host exports it read-only, or its disk went read-only: run nfs/serve.sh there, look at dmesg.",
    errno.ENOSPC: "Make room on the main host's disk.",
    errno.EDQUOT: "Make room in the farm's quota on the main host's disk.",
    errno.ESTALE: "The folder was moved or exported anew: docker compose down, then up -d, on this host.",
    errno.EIO: "Look at the main host's disk and at the network between the hosts.",
}


def examine_share(root: Path, *, farm_id: str | None, over_nfs: bool) -> tuple[Finding, ...]:
    """Prove that the folder `root` is fit to be the share of farm `farm_id`; a line for each proof, the first fault ends it.

    `farm_id` None leaves the sentinel out. With `over_nfs` it must be another host's, mounted as it should be. Never raises
    for a fault of the share: that is what it reports. It hangs as long as a hard mount's server is away.
    """
    findings = list(share_mount(root)) if over_nfs else []
    if farm_id is not None and all(finding.fine for finding in findings):
        findings.append(_sentinel(root, farm_id))
    if all(finding.fine for finding in findings):
        findings.extend(_try(root))
    return tuple(findings)


def share_mount(root: Path) -> tuple[Finding, ...]:
    """How the share at `root` is mounted here, judged as another host's folder."""
    folder = os.path.realpath(root)
    try:
        table = _TABLE.read_text(errors="surrogateescape")
    except OSError:
        table = ""
    return judge_mount(folder, mount_under(folder, parse_mounts(table)))


def judge_owner(owner: int, user: int) -> Finding:
    """Whether a file that `user` wrote belongs to them. Pure."""
    if user == 0 and owner == 0:
        return Finding(
            subject="share: owner",
            found="This process is root, and what it writes belongs to root.",
            cure="Run it as uid 20000, as the images do; over NFS, export the share with root_squash (nfs/serve.sh).",
        )
    if owner not in (user, 20000):
        return Finding(
            subject="share: owner",
            found=f"A file that uid {user} wrote belongs to uid {owner}.",
            cure="The main host maps users to another one: export with anonuid=20000,anongid=20000 (nfs/serve.sh does).",
        )
    return Finding(subject="share: owner", found=f"Files belong to uid {owner}.")


def _sentinel(root: Path, farm_id: str) -> Finding:
    try:
        Share(root, farm_id).check_sentinel()
    except OmktError as error:
        return Finding(subject="share: sentinel", found=error.message, cure="Then check again.")
    return Finding(subject="share: sentinel", found=f"{root} is the share of this farm.")


def _try(root: Path) -> list[Finding]:
    folder = root / layout.STAGING if (root / layout.STAGING).is_dir() else root
    name = f".trial-{os.getpid()}-{secrets.token_hex(4)}"
    part, final = folder / f"{name}{layout.PART}", folder / name
    findings: list[Finding] = []
    doing = "write and sync"
    try:
        content = os.urandom(_BYTES)
        begun = time.monotonic()
        _write(part, content)
        seconds = time.monotonic() - begun
        speed = _BYTES / seconds / 1e6
        findings.append(Finding(subject="share: written", found=f"Written and synced, at {speed:.0f} MB/s."))
        doing = "rename"
        begun = time.monotonic()
        part.rename(final)
        sync_folder(folder)
        milliseconds = (time.monotonic() - begun) * 1000
        findings.append(Finding(subject="share: renamed", found=f"Renamed in {milliseconds:.1f} ms."))
        doing = "read back"
        findings.append(_seen(part, final, content))
        findings.append(judge_owner(final.stat().st_uid, os.geteuid()))
        doing = "delete"
        final.unlink()
        findings.append(Finding(subject="share: deleted", found="Deleted."))
    except OSError as error:
        findings.append(
            Finding(
                subject=f"share: {doing}",
                found=f"uid {os.geteuid()} could not {doing} on {root}: {error.strerror}.",
                cure=_CURES.get(
                    error.errno or 0, "Look at the main host's NFS server and the network between the hosts."
                ),
            )
        )
    finally:
        _clear(part, final)
    return findings


def _write(path: Path, content: bytes) -> None:
    with path.open("xb", buffering=0) as stream:
        left = memoryview(content)
        while left:
            left = left[stream.write(left) :]
        os.fsync(stream.fileno())


def _seen(part: Path, final: Path, content: bytes) -> Finding:
    """What another open finds: all of it under the new name, nothing under the old one."""
    with final.open("rb") as stream:
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # from the server, where that is possible
        whole = stream.read() == content
    if whole and not part.exists():
        return Finding(subject="share: seen", found="Seen whole under its new name.")
    return Finding(
        subject="share: seen",
        found="What was written and renamed is not what is found under the new name.",
        cure="The server or a cache between loses writes: use the kernel's NFS server with sync (nfs/serve.sh).",
    )


def _clear(*paths: Path) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            return  # the fault is told already
