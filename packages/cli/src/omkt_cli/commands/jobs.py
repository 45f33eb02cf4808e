"""Commands that speak to a farm: submit, watch, jobs, show, cancel, retry, download."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `omkt --help` is quick

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from omkt_cli.commands.options import DEFAULT_PRESETS, ROOT, JobId, Json, Key, Presets, Root, Server, Trim

commands = typer.Typer()


class Priority(StrEnum):
    """As the API knows them."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class State(StrEnum):
    """As the API knows them."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@commands.command()
def submit(  # noqa: PLR0913, PLR0917 - a command has as many as it has options
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help="A file here, or an http(s) address.")],
    preset: Presets = None,
    trim: Trim = None,
    priority: Annotated[Priority, typer.Option(help="Higher ones start first.")] = Priority.NORMAL,
    callback: Annotated[str | None, typer.Option(metavar="URL", help="Where to POST when the job ends.")] = None,
    first: Annotated[str | None, typer.Option(metavar="PRESET", help="Make this one before the others.")] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Watch the job until it ends.")] = False,
    server: Server = None,
    key: Key = None,
    root: Root = ROOT,
    as_json: Json = False,
) -> None:
    """Send a farm a file or a URL; print the job's id."""
    from omkt_cli.part import read_part, trimmed
    from omkt_cli.terminal import print_json, result
    from omkt_cli.work import connect, file_of, follow, is_url, submitted

    if not is_url(source):
        file_of(source)
    try:
        part = read_part(trim) if trim else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    with connect(server, key, root) as client:
        wanted = trimmed(preset or DEFAULT_PRESETS, part)
        job = submitted(client, source, wanted, priority=priority, callback=callback, first=first, quiet=as_json)
        if wait:
            if not as_json:
                result(job.id)
            follow(client, job.id, as_json=as_json)
        elif as_json:
            print_json(job.raw)
        else:
            result(job.id)


@commands.command()
def watch(job: JobId, server: Server = None, key: Key = None, root: Root = ROOT, as_json: Json = False) -> None:
    """Follow a job until it ends.

    The exit code is 0 if it succeeded, else 1.
    """
    from omkt_cli.work import connect, follow

    with connect(server, key, root) as client:
        follow(client, job, as_json=as_json)


@commands.command()
def jobs(
    state: Annotated[State | None, typer.Option(help="Only jobs in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest first.")] = 20,
    server: Server = None,
    key: Key = None,
    root: Root = ROOT,
    as_json: Json = False,
) -> None:
    """List jobs, the newest first."""
    from omkt_cli.show import job_table
    from omkt_cli.terminal import out, print_json, say
    from omkt_cli.work import connect

    with connect(server, key, root) as client:
        found = client.jobs(limit=limit, state=state)
    if as_json:
        print_json([job.raw for job in found])
    elif found:
        out().print(job_table(found), soft_wrap=False)
    else:
        say("No jobs.")


@commands.command()
def show(job: JobId, server: Server = None, key: Key = None, root: Root = ROOT, as_json: Json = False) -> None:
    """Show one job: where it stands, what it made, why it failed."""
    from omkt_cli.work import connect, print_job

    with connect(server, key, root) as client:
        print_job(client.job(job), as_json=as_json)


@commands.command()
def cancel(job: JobId, server: Server = None, key: Key = None, root: Root = ROOT, as_json: Json = False) -> None:
    """Stop a job."""
    from omkt_cli.work import connect, print_job

    with connect(server, key, root) as client:
        print_job(client.cancel(job), as_json=as_json)


@commands.command()
def retry(
    job: JobId,
    whole: Annotated[bool, typer.Option("--whole", help="Do all of it anew, as a new job.")] = False,
    server: Server = None,
    key: Key = None,
    root: Root = ROOT,
    as_json: Json = False,
) -> None:
    """Try a failed or cancelled job again; what was done stays done, unless the whole is asked for."""
    from omkt_cli.work import connect, print_job

    with connect(server, key, root) as client:
        print_job(client.repeat(job) if whole else client.retry(job), as_json=as_json)


@commands.command()
def download(
    job: JobId,
    folder: Annotated[Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Default: ./JOB")] = None,
    server: Server = None,
    key: Key = None,
    root: Root = ROOT,
    as_json: Json = False,
) -> None:
    """Copy what a job made into a folder.

    Each file is checked against its checksum. Files of the same name are replaced.
    """
    from omkt_cli.work import connect, print_made, save

    with connect(server, key, root) as client:
        found = client.job(job)
        print_made(found, save(client, found, folder or Path(found.id), quiet=as_json), as_json=as_json)
