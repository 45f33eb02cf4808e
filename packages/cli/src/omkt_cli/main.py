"""omkt: the commands put together, and how every one of them ends."""

import os
import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from omkt_cli.commands import clients, farm, hosts, jobs, main_host, presets
from omkt_cli.faults import Exit, Fault

_EPILOG = (
    "Exit codes: 0 done; 1 the job failed or the farm refused; 2 the command line, a setting or a file is wrong; "
    "3 the server does not answer; 130 interrupted."
)
cli = typer.Typer(
    name="omkt",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="A transcoding farm you own: on this machine, or many.",
    epilog=_EPILOG,
)
for part in (farm, jobs, presets, hosts, main_host, clients):
    cli.registered_commands += part.commands.registered_commands
    cli.registered_groups += part.commands.registered_groups


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"omkt {version('omkt-cli')}")
        raise typer.Exit


@cli.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def app() -> None:
    """Run the command line. A fault becomes one sentence and an exit code, never a traceback."""
    try:
        cli()
    except Fault as fault:
        _end(fault.message, fault.exit_code)
    except KeyboardInterrupt:
        _end("Interrupted.", Exit.INTERRUPTED)
    except BrokenPipeError:
        # Who read our output has read enough. Nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.OK)
    except OSError as error:
        _end(f"{error.filename}: {error.strerror}." if error.filename else f"{error}.", Exit.USAGE)


def _end(message: str, exit_code: Exit) -> NoReturn:
    from omkt_cli.terminal import say  # noqa: PLC0415 - only when something went wrong

    say(f"omkt: {message}", style="red")
    sys.exit(exit_code)
