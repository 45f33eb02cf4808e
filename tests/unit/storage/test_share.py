"""Nothing is written into a folder that is not the share, whatever it looks like."""

import shutil
from pathlib import Path

import pytest

from omkt_pipeline.domain.errors import ShareUnusable
from omkt_pipeline.storage.share import Share


@pytest.fixture
def share(tmp_path: Path) -> Share:
    return Share.create(tmp_path / "share", farm_id="farm")


def emptied(share: Share) -> None:
    """As when another folder is mounted in its place."""
    shutil.rmtree(share.root)
    share.root.mkdir()


def test_a_new_folder_appears_whole_with_those_above_it(share: Share) -> None:
    with share.new_folder("staging/job/1/a1") as part:
        (part / "film").write_bytes(b"x")

    assert share.path("staging/job/1/a1/film").read_bytes() == b"x"


def test_an_empty_folder_in_its_place_stays_empty(share: Share) -> None:
    emptied(share)

    with pytest.raises(ShareUnusable, match="is not the share"), share.new_folder("staging/job/1/a1"):
        pass
    with pytest.raises(ShareUnusable, match="is not the share"):
        share.growing_file("originals/m/upload.part", size=0)

    assert list(share.root.rglob("*")) == []


def test_a_share_without_one_of_its_rooms_is_for_the_operator(share: Share) -> None:
    share.path("staging").rmdir()

    with pytest.raises(ShareUnusable, match="omkt migrate"), share.new_folder("staging/job/1/a1"):
        pass
