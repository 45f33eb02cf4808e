"""The same client's life against the containers: MySQL, NFS's place taken by a volume, every service with its own rights."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import confirm
from tests.containers.conftest import clips, farm_in_containers, free_port
from tests.containers.farm import ContainerFarm
from tests.wire import life, site
from tests.wire.driver import Client, Site, until

__all__ = ["clips"]
HERE = Path(__file__).resolve().parent
MEDIA = 7


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory, clips: Path) -> Iterator[tuple[ContainerFarm, Site]]:
    """A public farm, and the clients' site as a container that it may reach."""
    folder, port = tmp_path_factory.mktemp("farm"), free_port()
    (folder / "site.py").write_bytes(Path(site.__file__).read_bytes())
    (folder / "site.py").chmod(0o644)
    overlay = HERE / "compose.site.yaml"
    with farm_in_containers(folder, clips, overlay, environment={"OMKT_TEST_SITE_PORT": str(port)}) as farm:
        yield farm, Site(here=f"http://127.0.0.1:{port}", there="http://site:8000")


def test_a_clients_whole_life(outside: tuple[ContainerFarm, Site], clips: Path, tmp_path: Path) -> None:
    farm, place = outside
    client = Client(f"http://127.0.0.1:{farm.port}/api", "ann", place)

    assert set(client.subscribe(email="ann@example.org")) == {"apikey", "settings"}
    confirm(lambda: farm.compose("logs", "--no-color", "api", "courier"), "ann@example.org", client.url)
    metadata = life.hand_over(client, MEDIA, "clip.mp4")
    life.check_metadata(metadata, size=(clips / "clip.mp4").stat().st_size)
    life.order(client, MEDIA, [11], "JSON in one string")
    life.order(client, MEDIA, [71, life.THUMBNAILS], "name[0]=")
    results = {setting: life.receive(client, MEDIA, setting) for setting in life.FORMATS}

    life.check_result(results[11], 11, tmp_path)
    life.check_result(results[71], 71, tmp_path)
    life.check_thumbnails(results[life.THUMBNAILS])
    assert until(lambda: place.calls("ann", "transcoder_cron"), "web-cron")[0]["known_key"]
