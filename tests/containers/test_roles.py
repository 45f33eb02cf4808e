"""Which services run on which host, and how a host is invited."""

import json

import pytest

from tests.containers.farm import ContainerFarm, run

SECONDARY = {
    "OMKT_SECRETS_DIR": "./secrets",
    "OMKT_ROLE": "secondary",
    "OMKT_DATABASE_URL": "mysql+pymysql://x@10.0.0.1/omkt",
    "OMKT_NFS_ADDRESS": "10.0.0.1",
}
MAIN = {"OMKT_SECRETS_DIR": "./secrets", "OMKT_ROLE": "main", "OMKT_PRIVATE_ADDRESS": "10.0.0.1"}


def config(environment: dict[str, str], *profiles: str) -> dict[str, object]:
    chosen = environment | {"COMPOSE_PROFILES": ",".join(profiles)}
    return dict(json.loads(run("docker", "compose", "config", "--format", "json", environment=chosen).stdout))


def services(environment: dict[str, str], *profiles: str) -> dict[str, dict[str, object]]:
    found = config(environment, *profiles)["services"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("profiles", "expected"),
    [
        (("main",), {"mysql", "migrate", "api", "courier"}),
        (("main", "workers"), {"mysql", "migrate", "api", "courier", "metadata", "transcoder"}),
        (("main", "metadata"), {"mysql", "migrate", "api", "courier", "metadata"}),
    ],
)
@pytest.mark.parametrize("role", ["single", "main"])
def test_a_profile_chooses_which_daemons_the_main_host_runs(
    role: str, profiles: tuple[str, ...], expected: set[str]
) -> None:
    assert set(services(MAIN | {"OMKT_ROLE": role}, *profiles)) == expected


def test_a_secondary_host_transcodes_and_probes_and_publishes_nothing() -> None:
    found = services(SECONDARY, "secondary")

    assert set(found) == {"metadata", "transcoder"}
    assert all("ports" not in service for service in found.values())


def test_the_share_of_a_secondary_host_is_mounted_hard_and_never_filled() -> None:
    found = config(SECONDARY, "secondary")
    volumes = found["volumes"]
    assert isinstance(volumes, dict)
    options = volumes["share"]["driver_opts"]
    assert options["type"] == "nfs"
    assert {"hard", "nfsvers=4.2", "lookupcache=positive"} <= set(options["o"].split(","))
    for service in services(SECONDARY, "secondary").values():
        mounted = service["volumes"]
        assert isinstance(mounted, list)
        assert next(one for one in mounted if one["target"] == "/share")["volume"]["nocopy"]


def test_only_a_main_host_of_several_publishes_its_database_and_on_its_private_address() -> None:
    (port,) = services(MAIN, "main")["mysql"]["ports"]  # type: ignore[misc]
    assert port["host_ip"] == "10.0.0.1"
    assert "ports" not in services(MAIN | {"OMKT_ROLE": "single"}, "main")["mysql"]


def test_a_host_is_invited_and_its_way_in_is_closed_again(farm: ContainerFarm) -> None:
    admin = ("run", "--rm", "-T", "admin", "hosts")
    text = farm.compose(*admin, "invite", "encoder-2", "--address", "10.0.0.1")

    settings = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    assert settings["OMKT_HOST_NAME"] == "encoder-2"
    assert settings["OMKT_DATABASE_URL"].endswith("@10.0.0.1:3306/omkt")
    way_in = settings["OMKT_DATABASE_URL"].replace("@10.0.0.1", "@mysql")
    look = (
        "exec",
        "-T",
        "-e",
        f"OMKT_DATABASE_URL={way_in}",
        "-e",
        f"OMKT_DATABASE_PASSWORD={settings['OMKT_DATABASE_PASSWORD']}",
    )
    listed = json.loads(farm.compose(*look, "metadata", "python", "-c", _LIST))
    assert "encoder-2" in listed

    assert "removed" in farm.compose(*admin, "remove", "encoder-2")
    refused = run(
        "docker", "compose", "-f", "compose.yaml", *look, "metadata", "python", "-c", _LIST,
        environment=farm.environment, check=False,
    )  # fmt: skip
    assert "Access denied" in refused.stderr


_LIST = (
    "import json, os; from omkt_pipeline.db.engine import Database; from omkt_pipeline.queue.hosts import hosts; "
    "d = Database(os.environ['OMKT_DATABASE_URL'], password=os.environ['OMKT_DATABASE_PASSWORD']); "
    "print(json.dumps([h.name for h in hosts(d)]))"
)
