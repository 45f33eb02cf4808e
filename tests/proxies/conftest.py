"""A farm with a published output behind the proxies of compose/'s examples."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from omkt_api.app import create_app
from tests.integration.api.conftest import Farm, build, served
from tests.proxies.programs import anything, caddy, nginx

_PROGRAMS = {"nginx": nginx, "caddy": caddy}


@dataclass(frozen=True, kw_only=True)
class Proxied:
    """The farm as its clients see it."""

    farm: Farm
    published: str  #: the key of a job with an output `hls-h264`
    url: str

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.farm.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False, verify=anything())


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    folder = tmp_path_factory.mktemp("proxied")
    grounds, settings, key, other = build(folder, accel_prefix="/share/", public_url="https://farm.example")
    with served(create_app(settings, grounds)) as url:
        yield Farm(database=grounds.database, share=grounds.share, url=url, key=key, other_key=other)


@pytest.fixture(scope="module", params=sorted(_PROGRAMS))
def proxied(farm: Farm, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp(request.param)
    with _PROGRAMS[request.param](farm.url, farm.share.root, folder) as url:
        yield Proxied(farm=farm, published=farm.publish(), url=url)
