"""Bring a job's outputs into a folder: each file checked against its checksum, and complete or not there."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from omkt_cli.client import FarmClient
from omkt_cli.faults import Exit, Fault
from omkt_client import Unreachable
from omkt_client.models import File, Job, Output

_TRIES = 4


def download(client: FarmClient, job: Job, folder: Path, *, on_bytes: Callable[[int], None]) -> dict[str, Path]:
    """Copy every published output; return by preset where it begins: the file to open, or the folder of many.

    Files of the same name are replaced. Raises Fault.
    """
    made: dict[str, Path] = {}
    done = 0
    try:
        for output in job.outputs:
            if output.state != "published":
                continue
            files = client.files(job.id, output.id)
            for file, target in placed(output, files, folder):
                _fetch(client, job, output, file, target)
                done += file.bytes
                on_bytes(done)
            made[output.preset] = _entry(output, files, folder)
    except OSError as error:
        raise Fault(f"{error.filename or folder} cannot be written: {error.strerror}.", Exit.USAGE) from error
    return made


def placed(output: Output, files: Sequence[File], folder: Path) -> Iterator[tuple[File, Path]]:
    """Where each file goes: a single one as PRESET.ENDING, several into a folder PRESET. Raises Fault for a bad name."""
    for file in files:
        parts = PurePosixPath(file.path).parts
        if not parts or file.path.startswith("/") or ".." in parts or "/" in output.preset or "\0" in file.path:
            raise Fault(f"The server named a file {file.path!r}, which would not stay inside the folder.")
        if len(files) == 1:
            yield file, folder / f"{output.preset}{PurePosixPath(file.path).suffix}"
        else:
            yield file, folder.joinpath(output.preset, *parts)


def _entry(output: Output, files: Sequence[File], folder: Path) -> Path:
    if len(files) == 1:
        return next(placed(output, files, folder))[1]
    whole = folder / output.preset
    return whole / output.entry if output.entry and output.kind == "hls" else whole


def _fetch(client: FarmClient, job: Job, output: Output, file: File, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    trouble = ""
    for _ in range(_TRIES):
        digest = hashlib.sha256()
        try:
            with part.open("wb") as stream:
                for block in client.content(job.id, output.id, file.path):
                    digest.update(block)
                    stream.write(block)
            if file.sha256 == digest.hexdigest():
                part.replace(target)
                return
            trouble = "its checksum is not the one that was promised"
        except Unreachable as error:
            trouble = str(error)
        finally:
            part.unlink(missing_ok=True)
    raise Fault(f"{file.path} could not be downloaded: {trouble}.", Exit.UNREACHABLE)
