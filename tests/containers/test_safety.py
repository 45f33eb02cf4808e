"""What a container may do, and what Compose refuses to start without."""

import os

import pytest

from tests.containers.farm import ContainerFarm, run

OURS = ("api", "courier", "metadata", "transcoder")


def test_compose_refuses_to_start_without_secrets_and_says_what_to_run() -> None:
    environment = {"OMKT_SECRETS_DIR": "", "COMPOSE_PROJECT_NAME": f"omkt-none-{os.getpid()}"}

    refused = run("docker", "compose", "-f", "compose.yaml", "config", "-q", environment=environment, check=False)

    assert refused.returncode != 0
    assert "compose/init.sh" in refused.stderr


@pytest.mark.parametrize("service", [*OURS, "mysql"])
def test_a_container_has_no_privileges(farm: ContainerFarm, service: str) -> None:
    found = farm.inspect(farm.containers(service)[0])

    assert found["Config"]["User"] == ("999:999" if service == "mysql" else "20000:20000")
    assert found["HostConfig"]["ReadonlyRootfs"]
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in found["HostConfig"]["SecurityOpt"]
    assert not found["HostConfig"]["Privileged"]


@pytest.mark.parametrize("service", ["metadata", "transcoder", "mysql"])
def test_only_api_and_courier_have_a_way_to_the_outside(farm: ContainerFarm, service: str) -> None:
    networks = farm.inspect(farm.containers(service)[0])["NetworkSettings"]["Networks"]

    assert [name.rsplit("_", 1)[-1] for name in networks] == ["db"]


def test_ffmpeg_is_only_where_it_is_needed(farm: ContainerFarm) -> None:
    look = ("exec", "-T", "api", "sh", "-c", "command -v ffmpeg || echo none")

    assert farm.compose(*look).strip() == "none"


def test_no_secret_stands_in_the_environment_or_the_logs(farm: ContainerFarm) -> None:
    secret = farm.compose("exec", "-T", "api", "cat", "/run/secrets/omkt_database_password").strip()

    for service in OURS:
        assert secret not in str(farm.inspect(farm.containers(service)[0])["Config"])
    assert secret not in farm.compose("logs")
    assert farm.key not in farm.compose("logs")
