"""The share as a folder of this machine: is it ours, is there room, write so that a crash leaves no half file behind."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from omkt_pipeline.domain.errors import ShareUnusable, SourceError
from omkt_pipeline.domain.task import Artifact
from omkt_pipeline.storage import layout

_BLOCK = 1 << 20
#: What file systems without hard links, or without room for one more, say.
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A file that a row promises, and its place in another folder."""

    folder: str  #: where it lies, below the share's root
    artifact: Artifact
    name: str  #: below the other folder


class Share:
    """The folder that all hosts mount. Build it with `Share.mounted_at`, which refuses what is not the share."""

    def __init__(self, root: Path, farm_id: str, *, free_floor_bytes: int = 0) -> None:
        self.root = root
        self.farm_id = farm_id
        self.free_floor_bytes = free_floor_bytes

    @classmethod
    def mounted_at(cls, root: Path, *, farm_id: str, free_floor_bytes: int = 0) -> "Share":
        """Return the share at `root`. Raises ShareUnusable, with what to do, when it is not this farm's share."""
        share = cls(root, farm_id, free_floor_bytes=free_floor_bytes)
        share.check()
        return share

    @classmethod
    def create(cls, root: Path, *, farm_id: str) -> "Share":
        """Make an empty folder the share of this farm. Safe to repeat; refuses the share of another farm."""
        try:
            root.mkdir(parents=True, exist_ok=True)
            for name in (layout.INCOMING, layout.ORIGINALS, layout.STAGING, layout.RESULTS):
                (root / name).mkdir(exist_ok=True)
            sentinel = root / layout.SENTINEL
            if not sentinel.exists():
                with atomic_file(sentinel) as stream:
                    stream.write(json.dumps({"farm": farm_id}).encode() + b"\n")
        except OSError as error:
            raise ShareUnusable(
                f"{root} cannot be made the share: {error.strerror or error}. It must be a folder that "
                f"uid {os.getuid()} may write to."
            ) from error
        return cls.mounted_at(root, farm_id=farm_id)

    def check(self) -> None:
        """Raise ShareUnusable unless the sentinel of this farm is there and files can be written, synced and renamed."""
        self.check_sentinel()
        try:
            probe = self.root / layout.STAGING / f".probe-{os.getpid()}-{os.urandom(4).hex()}"
            with atomic_file(probe) as stream:
                stream.write(b"probe")
            probe.unlink()
        except OSError as error:
            raise ShareUnusable(f"{self.root} cannot be written by uid {os.getuid()}: {error.strerror}") from error

    def check_sentinel(self) -> None:
        """Raise ShareUnusable, with what to do, unless the sentinel of this farm is there."""
        sentinel = self.root / layout.SENTINEL
        try:
            found = json.loads(sentinel.read_text())["farm"]
        except FileNotFoundError:
            raise ShareUnusable(
                f"{self.root} is not the share: it holds no {layout.SENTINEL}. Is the NFS volume mounted there? "
                "For a new farm, run `omkt migrate` on the main host."
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ShareUnusable(f"{sentinel} cannot be read: {error}") from error
        if found != self.farm_id:
            raise ShareUnusable(
                f"{self.root} is the share of another farm ({found}); the database belongs to farm {self.farm_id}. "
                "Mount the right volume, or point this service at the right database."
            )

    def path(self, relative: str) -> Path:
        """Where `relative` lies on this machine. Raises ShareUnusable if links lead out of the share."""
        path = self.root / relative
        try:
            inside = path.resolve().is_relative_to(self.root.resolve())
        except (OSError, RuntimeError, ValueError):  # a circle of links, a name too long, a zero byte
            inside = False
        if not inside:
            raise ShareUnusable(f"{relative} leads out of the share", code="path_escapes")
        return path

    def free_bytes(self) -> int:
        """Bytes that may still be written before the floor is reached; negative below it."""
        try:
            usage = os.statvfs(self.root)
        except OSError as error:
            raise ShareUnusable(f"{self.root} does not answer: {error.strerror}") from error
        return usage.f_bavail * usage.f_frsize - self.free_floor_bytes

    @contextmanager
    def new_folder(self, relative: str) -> Iterator[Path]:
        """Yield a folder to write into; when the block ends well it appears as `relative`, complete, or not at all.

        Nothing is ever overwritten: the name must be new. Raises ShareUnusable.
        """
        final = self.path(relative)
        part = final.with_name(final.name + layout.PART)
        try:
            self._make_home(final)
            part.mkdir()
            yield part
            for folder in sorted({path.parent for path in part.rglob("*")} | {part}):
                sync_folder(folder)
            part.rename(final)
            sync_folder(final.parent)
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            raise self._unusable(error) from error
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise

    def growing_file(self, relative: str, *, size: int) -> FileIO:
        """Open a file that grows over several requests, cut to what is known to be good; made where it is missing.

        Raises ShareUnusable; code file_damaged when less than `size` bytes are there.
        """
        path = self.path(relative)
        try:
            self._make_home(path)
            stream = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640), "r+")
            sync_folder(path.parent)
            found = os.fstat(stream.fileno()).st_size
            if found >= size:
                stream.truncate(size)
                stream.seek(size)
                return stream
            stream.close()
        except OSError as error:
            raise self._unusable(error) from error
        raise ShareUnusable(f"{relative} has {found} bytes, expected at least {size}", code="file_damaged")

    def store(
        self,
        source_folder: Path,
        relative: str,
        *,
        taken: Iterable[Taken] = (),
        on_bytes: Callable[[int], None] | None = None,
    ) -> tuple[Artifact, ...]:
        """Copy every file of a local folder to the share as the new folder `relative`; return what it holds.

        `taken`: files of other folders of the share that get a place in this one, without their bytes being moved.
        """
        with self.new_folder(relative) as target:
            artifacts = []
            for one in taken:
                self._take(one.folder, one.artifact, target / one.name)
                artifacts.append(replace(one.artifact, path=one.name))
                if on_bytes is not None:
                    on_bytes(0)
            for path in sorted(source_folder.rglob("*")):
                if path.is_file() and not path.is_symlink():
                    name = path.relative_to(source_folder).as_posix()
                    _make_parent(target / name)
                    with path.open("rb") as stream:
                        size, digest = write_synced(target / name, stream, on_bytes=on_bytes)
                    artifacts.append(Artifact(path=name, bytes=size, sha256=digest))
        return tuple(artifacts)

    def verified(self, folder: str, artifact: Artifact, *, checksum: bool = True) -> Path:
        """The path of a file that a row promises, after checking its size and, by default, its checksum.

        Raises ShareUnusable (retryable: attributes are cached) when it is missing or short.
        """
        path = self.path(f"{folder}/{artifact.path}")
        try:
            size = path.stat().st_size
            digest = sha256_of(path) if checksum and size == artifact.bytes else artifact.sha256
        except OSError as error:
            raise self._unusable(error) from error
        if size != artifact.bytes or digest != artifact.sha256:
            raise ShareUnusable(
                f"{folder}/{artifact.path} is not what was stored: {size} bytes, expected {artifact.bytes}",
                code="file_damaged",
            )
        return path

    def fetch(self, folder: str, artifact: Artifact, target: Path) -> None:
        """Copy a file that a row promises to a new file, checking size and checksum on the way: one read.

        Raises ShareUnusable (file_damaged) when it is not what was stored.
        """
        try:
            with self.path(f"{folder}/{artifact.path}").open("rb") as stream:
                _, digest = write_synced(target, stream)
        except OSError as error:
            raise self._unusable(error) from error
        if digest != artifact.sha256:
            raise ShareUnusable(f"{folder}/{artifact.path} is not what was stored.", code="file_damaged")

    def _take(self, folder: str, artifact: Artifact, target: Path) -> None:
        """Give a file that a row promises one more name; on a file system that cannot, copy it."""
        source = self.verified(folder, artifact, checksum=False)
        _make_parent(target)
        try:
            target.hardlink_to(source)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self.fetch(folder, artifact, target)

    def merge(self, path: Path, equal: str, *, size: int, sha256: str) -> bool:
        """Make a new file, which nobody reads yet, one more name of a stored one that still has the same content.

        False where that cannot be: then it stays as it is.
        """
        link = path.with_name(f"{path.name}.link")
        try:
            stored = self.path(equal)
            if stored.stat().st_size != size or sha256_of(stored) != sha256:
                return False
            link.hardlink_to(stored)
            link.replace(path)
            sync_folder(path.parent)
        except (OSError, ShareUnusable):  # it went meanwhile, or the file system has no links
            link.unlink(missing_ok=True)
            return False
        return True

    def original(self, relative: str) -> Path:
        """The path of an original. Raises SourceError when it is not a regular file inside the share."""
        path = self.path(relative)
        try:
            if not path.is_file():
                raise SourceError(f"The share holds no file {relative}.", code="source_missing")
        except OSError as error:
            raise self._unusable(error) from error
        return path

    def remove(self, relative: str) -> None:
        """Delete a folder or file and everything in it; it may be gone already."""
        path = self.path(relative)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def keep_only(self, relative: str, kept: Iterable[str]) -> None:
        """Delete everything two levels below a folder except the given folders: attempts that were never published."""
        wanted = {self.path(one) for one in kept}
        for attempt in self.path(relative).glob("*/*"):
            if attempt not in wanted:
                self.remove(attempt.relative_to(self.root).as_posix())

    def _make_home(self, path: Path) -> None:
        """Make the folders above a path, but never the share's own rooms: where they are missing, this is not the share.

        Raises ShareUnusable then.
        """
        room = self.root / path.relative_to(self.root).parts[0]
        if not room.is_dir():
            self.check_sentinel()
            raise ShareUnusable(f"The share has no folder {room.name}. Run `omkt migrate` on the main host.")
        _make_synced(path.parent)

    def _unusable(self, error: OSError) -> ShareUnusable:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return ShareUnusable("The share is full.", code="share_full")
        return ShareUnusable(f"The share did not do it: {error}")


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a stream; when the block ends well the file appears at `path`, synced, else nothing does."""
    part = path.with_name(f"{path.name}.{os.urandom(4).hex()}{layout.PART}")
    try:
        with part.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.rename(path)
        sync_folder(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_synced(path: Path, source: BinaryIO, *, on_bytes: Callable[[int], None] | None = None) -> tuple[int, str]:
    """Copy a stream into a new file, fsync and close it; return its size and SHA-256 (hex). Errors of close count."""
    digest = hashlib.sha256()
    size = 0
    with path.open("xb") as target:
        while block := source.read(_BLOCK):
            target.write(block)
            digest.update(block)
            size += len(block)
            if on_bytes is not None:
                on_bytes(size)
        target.flush()
        os.fsync(target.fileno())
    return size, digest.hexdigest()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _make_synced(folder: Path) -> None:
    """Make a folder and those above it, so that a power loss takes none of the names back."""
    if not folder.is_dir():
        _make_synced(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def _make_parent(path: Path) -> None:
    """Make the folder of a new file. Asking whether it is there costs nothing over NFS; trying to make it does."""
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)


def sync_folder(path: Path) -> None:
    """Make names in this folder survive a power loss."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
