"""Commands of the main host, which speak to the database itself: migrate, accounts."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that `omkt --help` is quick

from typing import Annotated

import typer

from omkt_cli.commands.options import Json

commands = typer.Typer()
accounts = typer.Typer(
    no_args_is_help=True,
    help="Accounts and their keys.\n\nFor the main host: speaks to the database (OMKT_DATABASE_URL) itself.",
)
commands.add_typer(accounts, name="accounts")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name.")]


@commands.command()
def migrate() -> None:
    """Set up or upgrade database and share.

    For the main host: speaks to the database (OMKT_DATABASE_URL) itself. Again does no harm.
    """
    from omkt_cli.main_host import migrate_all
    from omkt_cli.terminal import result, say

    for sentence in migrate_all(tell=say):
        result(sentence)


@commands.command()
def doctor(as_json: Json = False) -> None:
    """Look at all that this host's daemons stand on: database, clock, name, share, scratch. Each line ok or what to do.

    For the main host. On a secondary: docker compose exec transcoder python -m omkt_pipeline.doctor
    """
    from omkt_cli.faults import Exit
    from omkt_cli.main_host import examined
    from omkt_cli.terminal import print_json, result

    findings = []
    for finding in examined():
        findings.append(finding)
        if not as_json:
            result(
                f"{'ok   ' if finding.fine else 'FAULT'} {finding.subject}: {finding}",
                style="" if finding.fine else "red",
            )
    if as_json:
        print_json(
            [{"subject": one.subject, "fine": one.fine, "found": one.found, "cure": one.cure} for one in findings]
        )
    if not all(finding.fine for finding in findings):
        raise typer.Exit(Exit.FAILED)


@accounts.command()
def create(
    name: Name,
    weight: Annotated[float, typer.Option(min=0.001, max=1000, help="Its part of a busy farm, next to others.")] = 1.0,
    operator: Annotated[
        bool, typer.Option("--operator", help="It may see and steer hosts. The first account may in any case.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Create an account and print its first key. The key is shown this once."""
    from omkt_cli.main_host import database
    from omkt_cli.terminal import print_json, result, say
    from omkt_pipeline.queue.accounts import create_account
    from omkt_pipeline.queue.trail import record

    with database() as connected:
        account, key = create_account(connected, _named(name), weight=weight, operator=operator)
        record(connected, "create_account", f"/v1/accounts/{name}")
    if as_json:
        print_json({"account": account.name, "key": str(key), "webhook_secret": account.webhook_secret})
        return
    result(str(key))
    say(f"This is the key of {account.name}; it is shown this once. Webhooks are signed with {account.webhook_secret}")


@accounts.command("list")
def list_accounts(as_json: Json = False) -> None:
    """List the accounts."""
    from omkt_cli.main_host import database
    from omkt_cli.terminal import print_json, result
    from omkt_pipeline.queue.accounts import accounts as all_accounts

    with database() as connected:
        names = [account.name for account in all_accounts(connected)]
    if as_json:
        print_json(names)
    for name in () if as_json else names:
        result(name)


@accounts.command("quotas")
def quotas(
    name: Name,
    max_bytes: Annotated[int | None, typer.Option(min=0, help="Bytes of originals and results on the share.")] = None,
    max_upload: Annotated[int | None, typer.Option(min=0, help="Bytes of one upload.")] = None,
    max_daily_minutes: Annotated[float | None, typer.Option(min=0, help="Minutes of source in 24 hours.")] = None,
    max_running: Annotated[
        int | None, typer.Option(min=0, help="Tasks at the same time on the whole farm; 0 lets it wait.")
    ] = None,
) -> None:
    """Limit what an account may use. What is not given has no limit from now on. Holds within five seconds."""
    from dataclasses import asdict

    from omkt_cli.main_host import database
    from omkt_cli.terminal import result
    from omkt_pipeline.domain.account import Quotas
    from omkt_pipeline.queue.tenants import change_tenant
    from omkt_pipeline.queue.trail import record

    limits = Quotas(
        max_bytes=max_bytes, max_upload_bytes=max_upload, max_daily_minutes=max_daily_minutes, max_running=max_running
    )
    with database() as connected:
        change_tenant(connected, name, asdict(limits))
        record(connected, "change_account", f"/v1/accounts/{name}")
    said = {
        "bytes": max_bytes,
        "bytes at a time": max_upload,
        "minutes a day": max_daily_minutes,
        "tasks at a time": max_running,
    }
    given = ", ".join(f"{value:g} {what}" for what, value in said.items() if value is not None)
    result(f"{name} may use {given or 'what there is'}.")


@accounts.command("add-key")
def add_key(
    name: Name,
    key_name: Annotated[str, typer.Option("--name", metavar="WORDS", help="What the key is for.")] = "another",
    as_json: Json = False,
) -> None:
    """Give an account another key and print it. The key is shown this once."""
    from omkt_cli.main_host import database
    from omkt_cli.terminal import print_json, result
    from omkt_pipeline.queue.accounts import add_key as add
    from omkt_pipeline.queue.trail import record

    with database() as connected:
        key = add(connected, name, _named(key_name))
        record(connected, "create_account_key", f"/v1/accounts/{name}/keys")
    if as_json:
        print_json({"account": name, "key": str(key)})
    else:
        result(str(key))


@accounts.command("revoke-key")
def revoke_key(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key, or its id: the part after omkt_.")],
) -> None:
    """Make a key useless at once."""
    from omkt_cli.main_host import database
    from omkt_cli.terminal import result
    from omkt_pipeline.queue.accounts import revoke_key as revoke
    from omkt_pipeline.queue.trail import record

    parts = key.split("_")
    key_id = parts[1] if parts[0] == "omkt" and len(parts) > 1 else key
    with database() as connected:
        revoke(connected, key_id)
        record(connected, "revoke_key", f"/v1/keys/{key_id}")
    result(f"The key {key_id} is revoked.")


def _named(name: str) -> str:
    if not name.strip() or len(name) > 64 or not name.isprintable():
        raise typer.BadParameter("A name has 1 to 64 printable characters.")
    return name
