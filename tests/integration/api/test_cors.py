"""CORS for players: the operator's list, on files by link, and nowhere else."""

from collections.abc import Iterator

import pytest
from tests.integration.api.conftest import Farm, build, served

from omkt_api.app import create_app

PAGE = "https://shop.example"


@pytest.fixture(scope="module")
def shared_farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    grounds, settings, key, other = build(tmp_path_factory.mktemp("farm"), cors_origins=PAGE)
    with served(create_app(settings, grounds)) as url:
        yield Farm(database=grounds.database, share=grounds.share, url=url, key=key, other_key=other)


def link(farm: Farm, job: str) -> str:
    with farm.client() as client:
        return str(client.get(f"/v1/jobs/{job}/outputs/hls-h264").json()["files_url"]) + "master.m3u8"


def test_a_page_of_the_list_reads_files_by_link_with_ranges(shared_farm: Farm) -> None:
    url = link(shared_farm, shared_farm.publish())
    with shared_farm.stranger() as page:
        asked = page.options(
            url,
            headers={"Origin": PAGE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"},
        )
        got = page.get(url, headers={"Origin": PAGE, "Range": "bytes=0-0"})

    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == PAGE
    assert got.status_code == 206
    assert got.headers["access-control-allow-origin"] == PAGE
    assert "Content-Range" in got.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in got.headers


def test_a_page_of_another_origin_reads_nothing(shared_farm: Farm) -> None:
    url = link(shared_farm, shared_farm.publish())
    with shared_farm.stranger() as page:
        got = page.get(url, headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in got.headers


def test_the_api_itself_is_open_to_no_page(shared_farm: Farm) -> None:
    with shared_farm.client() as page:
        assert "access-control-allow-origin" not in page.get("/v1/jobs", headers={"Origin": PAGE}).headers


def test_without_a_list_no_file_is_open(farm: Farm, published: str) -> None:
    with farm.stranger() as page:
        assert "access-control-allow-origin" not in page.get(link(farm, published), headers={"Origin": PAGE}).headers
