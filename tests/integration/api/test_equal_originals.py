"""What an account brings twice lies on the disk once, and whoever asks for a content learns that it is here."""

import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from tests.integration.api.conftest import Farm

from omkt_pipeline.db.tables import media


def original(farm: Farm, key: str) -> Path:
    path = select(media.c.path).where(media.c.media_key == key)
    return farm.share.path(str(farm.database.fetch(lambda connection: connection.execute(path).scalar_one())))


def whole(client: httpx.Client, content: bytes) -> str:
    key: str = client.post("/v1/uploads", content=content).json()["id"]
    return key


def resumable(client: httpx.Client, content: bytes) -> str:
    tus = {"Tus-Resumable": "1.0.0"}
    length = str(len(content))
    url: str = client.post("/v1/uploads", headers=tus | {"Upload-Length": length}).headers["location"]
    part = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert client.patch(url, headers=tus | part, content=content).status_code == 204
    return url.rpartition("/")[2]


@pytest.mark.parametrize("upload", [whole, resumable])
def test_a_file_that_is_brought_again_takes_no_more_room(farm: Farm, upload: Any) -> None:
    content = f"film of {upload.__name__}".encode()
    with farm.client() as client:
        first, second = whole(client, content), upload(client, content)
        assert original(farm, first).samefile(original(farm, second))
        assert client.delete(f"/v1/media/{first}").status_code == 204
        assert original(farm, second).read_bytes() == content
        found = client.get("/v1/media", params={"sha256": hashlib.sha256(content).hexdigest()}).json()["media"]
    assert {one["id"] for one in found} == {first, second}


def test_accounts_share_nothing_and_learn_nothing_of_each_other(farm: Farm) -> None:
    content = b"the same film at two studios"
    with farm.client() as client, farm.client(farm.other_key) as other:
        mine, theirs = whole(client, content), whole(other, content)
        assert not original(farm, mine).samefile(original(farm, theirs))
        whole(client, b"mine alone")
        asked = {"sha256": hashlib.sha256(b"mine alone").hexdigest()}
        assert other.get("/v1/media", params=asked).json()["media"] == []


def test_a_stored_file_that_was_damaged_is_not_taken_for_the_new_one(farm: Farm) -> None:
    content = b"a film whose first copy rots"
    with farm.client() as client:
        rotten = original(farm, whole(client, content))
        rotten.write_bytes(content[::-1])
        assert original(farm, whole(client, content)).read_bytes() == content
