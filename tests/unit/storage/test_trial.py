"""What is tried on a share, and what is said of one that fails."""

import errno
import os
from pathlib import Path

import pytest

from omkt_pipeline.storage import trial
from omkt_pipeline.storage.share import Share
from omkt_pipeline.storage.trial import examine_share, judge_owner


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Share.create(tmp_path / "share", farm_id="farm-1").root


def faults(root: Path, farm_id: str = "farm-1", *, over_nfs: bool = False) -> dict[str, str]:
    return {f.subject: str(f) for f in examine_share(root, farm_id=farm_id, over_nfs=over_nfs) if not f.fine}


def test_a_share_is_written_renamed_seen_and_left_as_it_was(root: Path) -> None:
    before = sorted(root.rglob("*"))
    findings = examine_share(root, farm_id="farm-1", over_nfs=False)

    assert [finding.subject.removeprefix("share: ") for finding in findings] == [
        "sentinel", "written", "renamed", "seen", "owner", "deleted",
    ]  # fmt: skip
    assert all(finding.fine for finding in findings if finding.subject != "share: owner" or os.geteuid() != 0)
    assert sorted(root.rglob("*")) == before


def test_a_folder_without_the_sentinel_is_not_touched(tmp_path: Path) -> None:
    assert set(faults(tmp_path)) == {"share: sentinel"}
    assert list(tmp_path.iterdir()) == []


def test_the_share_of_another_farm_is_refused(root: Path) -> None:
    assert "farm-2" in faults(root, "farm-2")["share: sentinel"]


def test_a_local_folder_is_no_share_of_another_host(root: Path) -> None:
    assert set(faults(root, over_nfs=True)) == {"share: NFS"}


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.EACCES, "20000:20000"),
        (errno.EROFS, "read-only"),
        (errno.ENOSPC, "room"),
        (errno.ESTALE, "anew"),
        (99, "NFS"),
    ],
)
def test_what_the_system_refuses_is_told_with_its_cure_and_leaves_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int, cure: str
) -> None:
    def refuse(_: Path) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(trial, "sync_folder", refuse)
    assert cure in faults(root)["share: rename"]
    assert list((root / "staging").iterdir()) == []


@pytest.mark.parametrize(
    ("owner", "user", "says"),
    [
        (20000, 20000, None),
        (20000, 0, None),
        (1000, 1000, None),
        (65534, 20000, "anonuid=20000"),
        (0, 0, "root_squash"),
    ],
)
def test_files_belong_to_those_who_wrote_them_and_never_to_root(owner: int, user: int, says: str | None) -> None:
    cure = judge_owner(owner, user).cure
    assert cure is None if says is None else says in (cure or "")
