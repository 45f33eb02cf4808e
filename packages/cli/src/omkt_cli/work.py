"""What the commands are made of: connect, submit, follow, save, print."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from omkt_cli.address import find_address
from omkt_cli.client import FarmClient
from omkt_cli.download import download
from omkt_cli.farm.lock import AlreadyRunning
from omkt_cli.farm.place import Place
from omkt_cli.faults import Exit, Fault
from omkt_cli.progress import Bar
from omkt_cli.show import job_card, made_tree
from omkt_cli.terminal import out, print_json, say
from omkt_client.models import Job


def connect(server: str | None, key: str | None, root: Path) -> FarmClient:
    """A client of the farm that is meant. Raises Fault."""
    address = find_address(server, key, root)
    return FarmClient(address.server, address.key, patient=address.is_kept_up)


@contextmanager
def any_farm(root: Path, *, quiet: bool = False) -> Iterator[FarmClient]:
    """A client of the farm that runs on `root`, or else of one that is started for the block. Raises Fault."""
    # Not needed by commands that speak to a farm elsewhere, and slow to import.
    from omkt_cli.farm.embedded import embedded_farm  # noqa: PLC0415

    place = Place(root)
    with ExitStack() as stack:
        with Bar(quiet=quiet) as bar:
            try:
                farm = stack.enter_context(embedded_farm(place, tell=bar.show))
                url, key = farm.url, farm.key
            except AlreadyRunning as other:
                if other.running is None:
                    raise
                url, key = other.running.url, place.key() or ""
        yield stack.enter_context(FarmClient(url, key, patient=True))


def made(client: FarmClient, source: Path, presets: list[str], *, quiet: bool = False) -> Job:
    """Transcode a file and return the job when it succeeded. Interrupted, the job is cancelled. Raises Fault."""
    job = submitted(client, str(source), presets, quiet=quiet)
    try:
        return finished(client, job.id, quiet=quiet)
    except KeyboardInterrupt:
        with suppress(Fault):
            client.cancel(job.id)
        raise


def is_url(source: str) -> bool:
    """Whether a source is an address rather than a file."""
    return source.startswith(("http://", "https://"))


def file_of(source: str | Path) -> Path:
    """The file that was named. Raises Fault when there is none that can be read."""
    path = Path(source)
    if not path.exists():
        raise Fault(f"There is no file {path}.", Exit.USAGE)
    if not path.is_file():
        raise Fault(f"{path} is not a file.", Exit.USAGE)
    if not os.access(path, os.R_OK):
        raise Fault(f"{path} may not be read by this user.", Exit.USAGE)
    return path


def submitted(
    client: FarmClient,
    source: str,
    presets: Sequence[Any],
    *,
    priority: str = "normal",
    callback: str | None = None,
    first: str | None = None,
    quiet: bool = False,
) -> Job:
    """Send a file if the source is one, and ask for its outputs."""
    asked = {"url": source} if is_url(source) else {"upload": _upload(client, file_of(source), quiet=quiet)}
    return client.submit(asked, presets, priority=priority, callback=callback, first=first)


def _upload(client: FarmClient, path: Path, *, quiet: bool) -> str:
    whole = max(1, path.stat().st_size)
    with Bar(quiet=quiet) as bar:
        bar.show("uploading", 0.0)
        return client.upload(path, on_bytes=lambda sent: bar.show("uploading", min(1.0, sent / whole)))


def finished(client: FarmClient, job_id: str, *, quiet: bool = False) -> Job:
    """Show progress until the job is final, and return it then. Raises Fault when it did not succeed."""
    job = client.job(job_id)
    with Bar(quiet=quiet) as bar:
        if not job.is_final:
            for job in client.watch(job_id):
                if not job.is_final:
                    bar.show(job.stage or "waiting", job.progress)
    if job.state != "succeeded":
        say_warnings(job)
        raise Fault(f"Job {job.id} {job.state}: {job.error}" if job.error else f"Job {job.id} was {job.state}.")
    return job


def follow(client: FarmClient, job_id: str, *, as_json: bool) -> None:
    """Watch a job to its end and print it."""
    try:
        job = finished(client, job_id, quiet=as_json)
    except Fault:
        if as_json:
            print_json(client.job(job_id).raw)
        raise
    print_job(job, as_json=as_json)


def save(client: FarmClient, job: Job, folder: Path, *, quiet: bool = False) -> Mapping[str, Path]:
    """Copy what was made into a folder. Raises Fault when there is nothing yet."""
    whole = sum(output.bytes or 0 for output in job.outputs if output.state == "published")
    if not whole:
        raise Fault(f"Job {job.id} has made nothing that could be downloaded; it is {job.state}.")
    with Bar(quiet=quiet) as bar:
        return download(client, job, folder, on_bytes=lambda got: bar.show("copying", min(1.0, got / whole)))


def print_job(job: Job, *, as_json: bool) -> None:
    """One job."""
    if as_json:
        print_json(job.raw)
    else:
        out().print(job_card(job))


def print_made(job: Job, places: Mapping[str, Path], *, as_json: bool) -> None:
    """What was made, and where it lies."""
    if as_json:
        print_json({"job": job.raw, "files": {preset: str(path) for preset, path in places.items()}})
        return
    say_warnings(job)
    out().print(made_tree(job, places))


def say_warnings(job: Job) -> None:
    """What a job wants to be known."""
    for warning in job.warnings:
        say(f"warning: {warning}", style="yellow")
