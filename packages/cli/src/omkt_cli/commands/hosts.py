"""Commands for hosts, which speak to the database itself: list, show, drain, resume, invite, remove."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `omkt --help` is quick

from typing import Annotated

import typer

from omkt_cli.commands.options import Json

commands = typer.Typer()
hosts = typer.Typer(
    invoke_without_command=True,
    help="The farm's hosts.\n\nFor the main host: speaks to the database (OMKT_DATABASE_URL) itself. `invite` and `remove` "
    "need its root: docker compose run --rm admin hosts …",
)
commands.add_typer(hosts, name="hosts")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The host's name.")]


@hosts.callback()
def list_when_bare(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_hosts()


@hosts.command("list")
def list_hosts(as_json: Json = False) -> None:
    """List the hosts: how they are, what they run, how fast they are."""
    from omkt_cli.main_host import database
    from omkt_cli.show_hosts import host_json, host_table
    from omkt_cli.terminal import out, print_json
    from omkt_pipeline.queue.hosts import hosts as all_hosts

    with database() as connected:
        found = all_hosts(connected)
    if as_json:
        print_json([host_json(host) for host in found])
    else:
        out().print(host_table(found))


@hosts.command()
def show(name: Name, as_json: Json = False) -> None:
    """Show all of one host."""
    from omkt_cli.main_host import database
    from omkt_cli.show_hosts import host_card, host_json
    from omkt_cli.terminal import out, print_json
    from omkt_pipeline.queue.hosts import host_by_name

    with database() as connected:
        found = host_by_name(connected, name)
    if as_json:
        print_json(host_json(found))
    else:
        out().print(host_card(found))


@hosts.command()
def drain(name: Name) -> None:
    """Let a host take nothing new. It finishes what it holds, and stays drained until `resume`."""
    _order(name, drain=True)


@hosts.command()
def resume(name: Name) -> None:
    """Let a drained host work again."""
    _order(name, drain=False)


@hosts.command()
def invite(
    name: Name,
    address: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Where other hosts reach this one, if not OMKT_PRIVATE_ADDRESS."),
    ] = None,
) -> None:
    """Print the invitation of a new host, for compose/join.sh there. Again makes a new password."""
    import os

    from omkt_cli.invitation import MainHost, invitation
    from omkt_cli.main_host import database
    from omkt_cli.terminal import result, say
    from omkt_pipeline.db.rights import make_worker_user, user_for
    from omkt_pipeline.queue import hosts as queue
    from omkt_pipeline.queue.trail import record

    with database() as connected:
        main = MainHost.described(os.environ, address=address, database_name=connected.url.database or "")
        user, password = make_worker_user(connected, name)
        queue.invite(connected, name, database_user=user_for(name))
        record(connected, "invite_host", f"/v1/hosts/{name}")
    result(invitation(name, main, user=user, password=password).rstrip("\n"))
    say(f"This is the way in for {name}, shown this once. Keep it in a file that only its owner can read.")


@hosts.command()
def remove(name: Name) -> None:
    """Forget a host that works no more, and close its way in."""
    from omkt_cli.main_host import database
    from omkt_cli.terminal import result
    from omkt_pipeline.db.rights import drop_user, require_administrator
    from omkt_pipeline.queue import hosts as queue
    from omkt_pipeline.queue.trail import record

    with database() as connected:
        if not connected.is_sqlite:
            require_administrator(connected)
        user = queue.remove(connected, name)
        if user:
            drop_user(connected, user)
        record(connected, "remove_host", f"/v1/hosts/{name}")
    result(f"{name} is removed.")


def _order(name: str, *, drain: bool) -> None:
    from omkt_cli.main_host import database
    from omkt_cli.terminal import result
    from omkt_pipeline.queue import hosts as queue
    from omkt_pipeline.queue.trail import record

    with database() as connected:
        queue.order(connected, name, drain=drain)
        record(connected, "drain_host" if drain else "resume_host", f"/v1/hosts/{name}")
    result(f"{name} takes nothing new." if drain else f"{name} works again.")
