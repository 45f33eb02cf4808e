"""How the share must be mounted on a host that does not own it. The lines are what Linux 6.1 shows."""

import pytest

from omkt_pipeline.storage.mounts import judge_mount, mount_under, parse_mounts

ROOT = "16 1 98:0 / / rw,relatime - ext4 /dev/root rw\n"
GOOD = (
    "29 16 0:24 / /share rw,nosuid,nodev,noexec,noatime - nfs4 10.99.0.1:/ rw,vers=4.2,rsize=65536,wsize=65536,namlen=255,"
    "hard,proto=tcp,nconnect=4,timeo=600,retrans=2,sec=sys,clientaddr=10.99.0.2,lookupcache=pos,local_lock=none,"
    "addr=10.99.0.1\n"
)
SOFT = (
    "30 16 0:25 / /share rw,relatime - nfs4 10.99.0.1:/ rw,vers=4.2,rsize=65536,wsize=65536,namlen=255,soft,proto=tcp,"
    "nconnect=4,timeo=600,retrans=2,sec=sys,clientaddr=10.99.0.2,local_lock=none,addr=10.99.0.1\n"
)
SOFTERR = (
    "31 16 0:26 / /share ro,relatime - nfs4 10.99.0.1:/ ro,vers=4.2,rsize=65536,wsize=65536,namlen=255,softerr,softreval,"
    "proto=tcp,nconnect=4,timeo=600,retrans=2,sec=sys,clientaddr=10.99.0.2,lookupcache=none,local_lock=none,addr=10.99.0.1\n"
)


def wrong(table: str) -> dict[str, str]:
    findings = judge_mount("/share", mount_under("/share", parse_mounts(table)))
    return {finding.subject: finding.cure for finding in findings if finding.cure is not None}


def test_the_mount_of_the_compose_volume_is_fine() -> None:
    assert wrong(ROOT + GOOD) == {}


@pytest.mark.parametrize(
    ("table", "subjects"),
    [
        (SOFT, {"share: hard", "share: names"}),
        (SOFTERR, {"share: hard", "share: writable"}),
        (GOOD.replace("vers=4.2", "vers=4.1"), {"share: version"}),
        (GOOD.replace("nfs4", "nfs").replace("vers=4.2", "vers=3"), {"share: version"}),
        (GOOD.replace(",lookupcache=pos", ""), {"share: names"}),
        (GOOD.replace("/share", "/elsewhere"), {"share: NFS"}),
        ("", {"share: NFS"}),
    ],
)
def test_each_fault_of_a_mount_is_named(table: str, subjects: set[str]) -> None:
    assert set(wrong(ROOT + table)) == subjects


def test_a_cure_says_that_docker_does_not_read_options_again() -> None:
    assert all("docker volume rm" in cure for cure in wrong(ROOT + SOFT).values())


def test_an_empty_folder_where_the_share_should_be_is_told_with_what_lies_there() -> None:
    (finding,) = judge_mount("/share", mount_under("/share", parse_mounts(ROOT)))
    assert "ext4" in str(finding)
    assert "OMKT_NFS_ADDRESS" in str(finding)


def test_a_folder_lies_on_the_deepest_mount_and_on_the_last_of_several() -> None:
    mounts = parse_mounts(ROOT + SOFT + GOOD)
    found = mount_under("/share/staging", mounts)
    assert found is not None
    assert "hard" in found.options
    beside = mount_under("/shared", mounts)
    assert beside is not None
    assert beside.point == "/"


def test_a_blank_in_a_name_is_written_in_octal_and_optional_fields_are_skipped() -> None:
    line = "36 16 0:30 / /mnt/my\\040films rw shared:7 master:1 - nfs4 nas:/my\\040films rw,vers=4.2\n"
    (mount,) = parse_mounts(line + "no line at all\n\n36 - nfs4\n")
    assert (mount.point, mount.source, mount.value("vers")) == ("/mnt/my films", "nas:/my films", "4.2")
