"""What further Compose files add to a host: hardware encoders, an NFS server in a container."""

import json
from pathlib import Path

from tests.containers.farm import ROOT, run

HOST = {"OMKT_SECRETS_DIR": "./secrets", "COMPOSE_PROFILES": "main,workers"}


def services(environment: dict[str, str], *files: str) -> dict[str, dict[str, object]]:
    layers = [word for file in ("compose.yaml", *files) for word in ("-f", file)]
    found = run("docker", "compose", *layers, "config", "--format", "json", environment=environment)
    return dict(json.loads(found.stdout)["services"])


def test_a_host_s_transcoder_can_have_the_device_of_its_encoders() -> None:
    vaapi = services(HOST | {"OMKT_RENDER_GROUP": "104"}, "compose/hardware-vaapi.yaml")
    assert vaapi["transcoder"]["group_add"] == ["104"]
    assert "/dev/dri/renderD128" in json.dumps(vaapi["transcoder"]["devices"])
    assert "devices" not in vaapi["metadata"]
    nvidia = services(HOST, "compose/hardware-nvidia.yaml")
    assert "nvidia" in json.dumps(nvidia["transcoder"]["deploy"])


def test_an_nfs_server_in_a_container_is_reached_at_the_private_address_alone() -> None:
    host = HOST | {
        "OMKT_NFS_CLIENTS": "10.0.0.0/24",
        "OMKT_NFS_STATE": "/srv/state",
        "OMKT_PRIVATE_ADDRESS": "10.0.0.1",
    }
    server = services(host, "compose/nfs-server.yaml")["nfs-server"]

    (port,) = server["ports"]  # type: ignore[misc]
    assert (port["host_ip"], port["target"]) == ("10.0.0.1", 2049)
    build = server["build"]
    assert isinstance(build, dict)
    assert Path(build["context"]) == ROOT / "nfs"
    assert "SYS_ADMIN" not in json.dumps(server["cap_add"])
