"""Files of one folder of the share get a place in another, without their bytes being moved; only what a row promises."""

import errno
from pathlib import Path

import pytest

from omkt_pipeline.domain.errors import ShareUnusable
from omkt_pipeline.domain.task import Artifact
from omkt_pipeline.storage.share import Share, Taken


@pytest.fixture
def share(tmp_path: Path) -> Share:
    return Share.create(tmp_path / "share", farm_id="farm")


@pytest.fixture
def staged(share: Share, tmp_path: Path) -> Artifact:
    made = tmp_path / "made"
    (made / "720p").mkdir(parents=True)
    (made / "720p" / "00000.m4s").write_bytes(b"a segment")
    (artifact,) = share.store(made, "staging/job/1/a1")
    return artifact


@pytest.fixture
def written(tmp_path: Path) -> Path:
    folder = tmp_path / "written"
    folder.mkdir()
    (folder / "master.m3u8").write_bytes(b"#EXTM3U\n")
    return folder


def take(share: Share, written: Path, artifact: Artifact, name: str = "720p/00000.m4s") -> tuple[Artifact, ...]:
    taken = Taken(folder="staging/job/1/a1", artifact=artifact, name=name)
    return share.store(written, "results/job/hls/a1", taken=[taken])


def test_it_has_two_names_and_one_body(share: Share, staged: Artifact, written: Path) -> None:
    artifacts = take(share, written, staged)

    assert {one.path: one.bytes for one in artifacts} == {"720p/00000.m4s": 9, "master.m3u8": 8}
    assert share.path("results/job/hls/a1/720p/00000.m4s").samefile(share.path("staging/job/1/a1/720p/00000.m4s"))


def test_its_new_name_may_be_another(share: Share, staged: Artifact, written: Path) -> None:
    artifacts = take(share, written, staged, "video.mp4")

    assert {one.path for one in artifacts} == {"video.mp4", "master.m3u8"}
    assert share.path("results/job/hls/a1/video.mp4").read_bytes() == b"a segment"


def test_it_outlives_the_folder_it_came_from(share: Share, staged: Artifact, written: Path) -> None:
    take(share, written, staged)
    share.remove("staging/job")

    assert share.path("results/job/hls/a1/720p/00000.m4s").read_bytes() == b"a segment"


@pytest.mark.parametrize("fault", [errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV])
def test_where_there_are_no_links_it_is_copied_and_checked(
    share: Share, staged: Artifact, written: Path, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    def refuse(_self: Path, _target: Path) -> None:
        raise OSError(fault, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    take(share, written, staged)
    copy = share.path("results/job/hls/a1/720p/00000.m4s")
    assert copy.read_bytes() == b"a segment"
    assert copy.stat().st_nlink == 1

    share.path("staging/job/1/a1/720p/00000.m4s").write_bytes(b"A SEGMENT")  # the same size, other bytes
    with pytest.raises(ShareUnusable, match="not what was stored"):
        share.store(
            written,
            "results/job/hls/a2",
            taken=[Taken(folder="staging/job/1/a1", artifact=staged, name="720p/00000.m4s")],
        )
    assert not share.path("results/job/hls/a2").exists()


@pytest.mark.parametrize("content", [b"short", None])
def test_what_is_not_there_as_promised_is_not_taken(
    share: Share, staged: Artifact, written: Path, content: bytes | None
) -> None:
    path = share.path("staging/job/1/a1/720p/00000.m4s")
    path.unlink()
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ShareUnusable):
        take(share, written, staged)
    assert list(share.path("results").rglob("*.m4s")) == []


def test_a_full_disk_says_so(share: Share, staged: Artifact, written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Path, _target: Path) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "hardlink_to", full)
    with pytest.raises(ShareUnusable) as caught:
        take(share, written, staged)
    assert caught.value.code == "share_full"
