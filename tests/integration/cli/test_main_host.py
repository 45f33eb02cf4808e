"""What the main host does on the database itself, with SQLite for a database."""

import json
import subprocess
from pathlib import Path

from tests.integration.cli.farms import omkt


def on_main_host(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    settings = {"OMKT_DATABASE_URL": f"sqlite:///{folder.parent}/main.db", "OMKT_SHARE_ROOT": str(folder / "share")}
    return omkt(*arguments, cwd=folder, **settings)


def test_migrate_makes_database_and_share_and_may_be_repeated(folder: Path) -> None:
    first, second = on_main_host(folder, "migrate"), on_main_host(folder, "migrate")

    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert "The database is at revision" in first.stdout
    assert (folder / "share" / ".omkt-share").exists()


def test_an_account_is_made_once_and_its_keys_come_and_go(folder: Path) -> None:
    on_main_host(folder, "migrate")

    created = on_main_host(folder, "accounts", "create", "bob", "--json")
    again = on_main_host(folder, "accounts", "create", "bob")
    added = on_main_host(folder, "accounts", "add-key", "bob").stdout.strip()

    assert json.loads(created.stdout)["key"].startswith("omkt_")
    assert (again.returncode, again.stdout) == (1, "")
    assert "already an account named bob" in again.stderr
    assert on_main_host(folder, "accounts", "list").stdout == "bob\n"
    assert on_main_host(folder, "accounts", "revoke-key", added).returncode == 0
    assert on_main_host(folder, "accounts", "revoke-key", added).returncode == 1


def test_accounts_of_a_database_that_was_not_migrated_are_refused_with_what_to_run(folder: Path) -> None:
    listed = on_main_host(folder, "accounts", "list")

    assert listed.returncode == 3
    assert "omkt migrate" in listed.stderr


def test_without_settings_the_main_hosts_commands_say_which_are_missing(folder: Path) -> None:
    listed = omkt("accounts", "list", cwd=folder)

    assert listed.returncode == 2
    assert "OMKT_DATABASE_URL" in listed.stderr
    assert "Traceback" not in listed.stderr
