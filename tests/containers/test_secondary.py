"""What a secondary host is given: its settings, its devices, its images."""

import json
from pathlib import Path

import pytest

from tests.containers.farm import ROOT, run
from tests.containers.test_overlays import services
from tests.containers.test_roles import MAIN, SECONDARY


@pytest.mark.parametrize("role", ["single", "main", "secondary"])
def test_any_host_s_transcoder_can_have_the_device_of_its_encoders(role: str) -> None:
    profiles = "secondary" if role == "secondary" else "main,workers"
    host = MAIN | SECONDARY | {"OMKT_ROLE": role, "COMPOSE_PROFILES": profiles, "OMKT_RENDER_GROUP": "104"}

    vaapi = services(host, "compose/hardware-vaapi.yaml")
    assert vaapi["transcoder"]["group_add"] == ["104"]
    assert "/dev/dri/renderD128" in json.dumps(vaapi["transcoder"]["devices"])
    assert "devices" not in vaapi["metadata"]
    nvidia = services(host, "compose/hardware-nvidia.yaml")
    assert "nvidia" in json.dumps(nvidia["transcoder"]["deploy"])


def test_the_example_of_a_secondary_host_is_one() -> None:
    lines = (ROOT / "compose" / "secondary.env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(services(example)) == {"metadata", "transcoder"}


def test_images_travel_in_one_file(tmp_path: Path) -> None:
    """save and load with a small stand-in under the names of the two images."""
    names = ["omkt-metadata:images-test", "omkt-transcoder:images-test"]
    environment = {"OMKT_VERSION": "images-test"}
    for name in names:
        run("docker", "tag", "debian:trixie-slim", name)
    try:
        run("sh", "compose/images.sh", "save", str(tmp_path / "omkt.tar.gz"), environment=environment)
        run("docker", "rmi", *names)
        run("sh", "compose/images.sh", "load", str(tmp_path / "omkt.tar.gz"), environment=environment)
        for name in names:
            run("docker", "image", "inspect", name)
    finally:
        run("docker", "rmi", *names, check=False)
