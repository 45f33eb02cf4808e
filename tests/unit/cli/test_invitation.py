"""The invitation of a new host."""

import subprocess
from pathlib import Path

import pytest

from omkt_cli.faults import Fault
from omkt_cli.invitation import MainHost, invitation

JOIN = Path(__file__).parents[3] / "compose" / "join.sh"
MAIN = MainHost(address="10.0.0.1", database_port="3306", database_name="omkt", nfs_path="/", image_version="local")
TEXT = invitation("encoder-2", MAIN, user="omkt-encoder-2-12345678", password="s3cret")


def join(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run join.sh in a checkout of its own."""
    (folder / "compose").mkdir(exist_ok=True)
    script = folder / "compose" / "join.sh"
    script.write_bytes(JOIN.read_bytes())
    return subprocess.run(["sh", script, "-"], input=text, capture_output=True, text=True, check=False)


def test_the_main_host_must_say_where_it_is() -> None:
    with pytest.raises(Fault, match="OMKT_PRIVATE_ADDRESS"):
        MainHost.described({}, address=None, database_name="omkt")
    found = MainHost.described({"OMKT_PRIVATE_ADDRESS": "10.0.0.1"}, address=None, database_name="omkt")
    assert found == MAIN


def test_an_invitation_makes_a_secondary_host(tmp_path: Path) -> None:
    done = join(tmp_path, TEXT)

    assert done.returncode == 0, done.stderr
    settings = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines() if "=" in line)
    assert settings == {
        "OMKT_ROLE": "secondary",
        "COMPOSE_PROFILES": "secondary",
        "OMKT_HOST_NAME": "encoder-2",
        "OMKT_DATABASE_URL": "mysql+pymysql://omkt-encoder-2-12345678@10.0.0.1:3306/omkt",
        "OMKT_NFS_ADDRESS": "10.0.0.1",
        "OMKT_NFS_PATH": "/",
        "OMKT_VERSION": "local",
        "OMKT_SECRETS_DIR": "./secrets",
    }
    secret = tmp_path / "compose" / "secrets" / "omkt_database_password"
    assert secret.read_text() == "s3cret"
    assert secret.parent.stat().st_mode & 0o777 == 0o700


def test_a_new_invitation_keeps_what_the_operator_added(tmp_path: Path) -> None:
    join(tmp_path, TEXT)
    with (tmp_path / ".env").open("a") as settings:
        settings.write("OMKT_TRANSCODERS=4\n")

    assert join(tmp_path, TEXT.replace("s3cret", "n3w")).returncode == 0

    lines = (tmp_path / ".env").read_text().splitlines()
    assert lines.count("OMKT_TRANSCODERS=4") == lines.count("OMKT_HOST_NAME=encoder-2") == 1
    assert (tmp_path / "compose" / "secrets" / "omkt_database_password").read_text() == "n3w"


def test_what_is_no_invitation_and_a_main_host_are_refused(tmp_path: Path) -> None:
    assert "no invitation" in join(tmp_path, "hello\n").stderr
    (tmp_path / ".env").write_text("OMKT_SECRETS_DIR=./secrets\nCOMPOSE_PROFILES=main,workers\n")
    done = join(tmp_path, TEXT)
    assert done.returncode == 1
    assert "not that of a secondary host" in done.stderr
    assert "main,workers" in (tmp_path / ".env").read_text()


def test_an_ipv6_main_host_is_written_as_urls_want_it() -> None:
    main = MainHost(address="fd00::1", database_port="3306", database_name="omkt", nfs_path="/", image_version="local")
    assert "@[fd00::1]:3306/" in invitation("a", main, user="u", password="p")
