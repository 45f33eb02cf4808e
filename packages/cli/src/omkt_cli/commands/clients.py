"""Commands of the main host for clients of the original's API: who they are, and which programs may call."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `omkt --help` is quick

from dataclasses import asdict
from typing import Annotated

import typer

from omkt_cli.commands.options import Json

commands = typer.Typer()
clients = typer.Typer(
    no_args_is_help=True,
    help="Clients of the original's API (/api).\n\nFor the main host: speaks to the database (OMKT_DATABASE_URL) itself.",
)
applications = typer.Typer(
    no_args_is_help=True,
    help="The programs that call /api, and those that may not.\n\nFor the main host: speaks to the database itself.",
)
commands.add_typer(clients, name="clients")
commands.add_typer(applications, name="applications")
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The client's address.")]
Program = Annotated[str, typer.Argument(metavar="NAME", help="The program, as it calls itself.")]
Version = Annotated[str, typer.Argument(metavar="[VERSION]", help="One version; all by default.")]


@clients.command("create")
def create_client(
    email: Email,
    url: Annotated[str, typer.Option(metavar="URL", help="Its API root, which is called back.")],
    app_key: Annotated[
        str | None, typer.Option(metavar="SECRET", help="What it knows us by; made if not given.")
    ] = None,
    adapter: Annotated[list[str] | None, typer.Option(help="http or local; may be said twice.")] = None,
    as_json: Json = False,
) -> None:
    """Make a client of a private transcoder, and print its key and the secret by which it knows us. Shown this once."""
    import secrets

    from omkt_cli.main_host import database
    from omkt_cli.terminal import print_json, result
    from omkt_pipeline.queue.trail import record
    from omkt_pipeline.queue.wire.clients import ADAPTERS, HTTP, subscribe

    adapters = adapter or [HTTP]
    if unknown := set(adapters) - set(ADAPTERS):
        raise typer.BadParameter(f"There is no adapter {', '.join(sorted(unknown))}; there are {', '.join(ADAPTERS)}.")
    secret = app_key or secrets.token_hex(16)
    if len(secret) > 32 or not secret.isprintable():
        raise typer.BadParameter("The secret may have at most 32 printable characters.")
    with database() as connected:
        key = subscribe(connected, email=email, url=url, app_key=secret, validated=True, adapters=adapters)
        record(connected, "create_client", email)
    if as_json:
        print_json({"email": email.lower(), "transcoder_key": key, "app_key": secret})
        return
    result(f"transcoder_key {key}")
    result(f"app_key        {secret}")


@clients.command("list")
def list_clients(as_json: Json = False) -> None:
    """List them: address, whether it may work, when it last called, when its site last answered."""
    from omkt_cli.main_host import database
    from omkt_cli.terminal import print_json, result
    from omkt_pipeline.queue.wire.clients import all_clients

    with database() as connected:
        found = all_clients(connected)
    if as_json:
        print_json([{k: v for k, v in asdict(one).items() if k != "app_key"} for one in found])
        return
    for one in found:
        stands = "works" if one.may_work else "unconfirmed" if one.enabled else "disabled"
        answered = one.cron_ok_at.isoformat(timespec="minutes") if one.cron_ok_at else "never"
        called = one.seen_at.isoformat(timespec="minutes")
        result(f"{one.email}  {stands}  called {called}  answered {answered}  {one.url}")


@clients.command("enable")
def enable_client(email: Email) -> None:
    """Let a client work again."""
    _enable(email, enabled=True)


@clients.command("disable")
def disable_client(email: Email) -> None:
    """Stop a client, with everything that it has under way."""
    _enable(email, enabled=False)


@applications.command("list")
def list_applications(as_json: Json = False) -> None:
    """List the programs that called."""
    from omkt_cli.main_host import database
    from omkt_cli.terminal import print_json, result
    from omkt_pipeline.queue.wire.applications import applications as register

    with database() as connected:
        found = register(connected)
    if as_json:
        print_json([asdict(one) for one in found])
    for one in () if as_json else found:
        result(f"{one.name} {one.version}{'  denied' if one.denied else ''}")


@applications.command("deny")
def deny_application(name: Program, version: Version = "*") -> None:
    """Refuse a program from now on."""
    _deny(name, version, denied=True)


@applications.command("allow")
def allow_application(name: Program, version: Version = "*") -> None:
    """Let a program in again."""
    _deny(name, version, denied=False)


def _enable(email: str, *, enabled: bool) -> None:
    from omkt_cli.main_host import database
    from omkt_cli.terminal import result
    from omkt_pipeline.queue.trail import record
    from omkt_pipeline.queue.wire.clients import set_enabled

    with database() as connected:
        set_enabled(connected, email, enabled=enabled)
        record(connected, "enable_client" if enabled else "disable_client", email)
    result(f"{email} is {'enabled' if enabled else 'disabled, and what it had under way is cancelled'}.")


def _deny(name: str, version: str, *, denied: bool) -> None:
    from omkt_cli.main_host import database
    from omkt_cli.terminal import result
    from omkt_pipeline.queue.trail import record
    from omkt_pipeline.queue.wire.applications import deny

    with database() as connected:
        deny(connected, name, version, denied=denied)
        record(connected, "deny_application" if denied else "allow_application", f"{name} {version}")
    result(f"{name} {version} is {'refused' if denied else 'let in'}.")
