"""compose/init.sh makes a farm's secrets and its .env, and completes an .env that is older than itself."""

import shutil
import subprocess
from pathlib import Path

import pytest

COMPOSE = Path(__file__).parents[3] / "compose"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "compose" / "mysql").mkdir(parents=True)
    for name in ("init.sh", ".env.example", "mysql/my.cnf"):
        shutil.copy(COMPOSE / name, tmp_path / "compose" / name)
    return tmp_path


def init(checkout: Path) -> list[str]:
    subprocess.run(["sh", str(checkout / "compose" / "init.sh")], check=True, capture_output=True)
    return (checkout / ".env").read_text().splitlines()


def test_a_new_checkout_runs_the_whole_farm(checkout: Path) -> None:
    lines = init(checkout)
    assert "COMPOSE_PROFILES=main,workers" in lines
    assert "OMKT_SECRETS_DIR=./secrets" in lines
    secrets = {path.name: path.read_text() for path in (checkout / "compose" / "secrets").iterdir()}
    assert set(secrets) == {
        f"omkt_database_{whose}password" for whose in ("", "api_", "courier_", "root_")
    }  # fmt: skip
    assert {len(secret) for secret in secrets.values()} == {64}
    assert len(set(secrets.values())) == 4


def test_again_changes_nothing(checkout: Path) -> None:
    first = init(checkout)
    secret = (checkout / "compose" / "secrets" / "omkt_database_password").read_text()
    assert init(checkout) == first
    assert (checkout / "compose" / "secrets" / "omkt_database_password").read_text() == secret


def test_an_older_env_gets_what_it_lacks_and_keeps_what_it_says(checkout: Path) -> None:
    (checkout / ".env").write_text("OMKT_SECRETS_DIR=/etc/omkt\nOMKT_HTTP_PORT=80\n")
    lines = init(checkout)
    assert lines[:2] == ["OMKT_SECRETS_DIR=/etc/omkt", "OMKT_HTTP_PORT=80"]
    assert "COMPOSE_PROFILES=main,workers" in lines
    assert sum(line.startswith("OMKT_SECRETS_DIR=") for line in lines) == 1


def test_a_main_host_that_runs_no_workers_keeps_its_choice(checkout: Path) -> None:
    (checkout / ".env").write_text("COMPOSE_PROFILES=main\n")
    assert [line for line in init(checkout) if line.startswith("COMPOSE_PROFILES=")] == ["COMPOSE_PROFILES=main"]
