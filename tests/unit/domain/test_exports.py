"""What an NFS server may export to a farm, and what is said of what it may not."""

import pytest

from omkt_pipeline.domain.exports import faults_of, parse_exports

SAFE = (
    "/srv/omkt\t10.99.0.0/24(rw,sync,wdelay,hide,nocrossmnt,secure,root_squash,no_all_squash,no_subtree_check,"
    "secure_locks,acl,no_pnfs,fsid=0,anonuid=20000,anongid=20000,sec=sys,rw,secure,root_squash,no_all_squash)\n"
)


def test_what_serve_sh_exports_is_safe() -> None:
    (export,) = parse_exports(SAFE)
    assert (export.path, export.client) == ("/srv/omkt", "10.99.0.0/24")
    assert faults_of([export], "/srv/omkt") == ()


@pytest.mark.parametrize(
    ("safe", "unsafe", "cure"),
    [
        ("sync", "async", "Write sync"),
        ("root_squash", "no_root_squash", "Write root_squash"),
        ("no_subtree_check", "subtree_check", "Write no_subtree_check"),
        ("(rw,", "(ro,", "Write rw"),
        ("10.99.0.0/24", "*", "everybody"),
        ("10.99.0.0/24", "0.0.0.0/0", "everybody"),
        ("10.99.0.0/24", "93.184.216.0/24", "everybody"),
        ("10.99.0.0/24", "10.0.0.0/7", "everybody"),
        ("10.99.0.0/24", "*.example.org", "everybody"),
        ("10.99.0.0/24", "2001:db8::/32", "everybody"),
    ],
)
def test_each_unsafe_export_is_named_with_its_cure(safe: str, unsafe: str, cure: str) -> None:
    (fault,) = faults_of(parse_exports(SAFE.replace(safe, unsafe)), "/srv/omkt")
    assert cure in fault
    assert "exportfs -ra" in fault


@pytest.mark.parametrize(
    "client", ["10.0.0.7", "encoder-2.lan", "192.168.4.0/255.255.252.0", "100.64.0.0/10", "fd00:1::/64"]
)
def test_hosts_and_private_networks_are_safe(client: str) -> None:
    assert faults_of(parse_exports(SAFE.replace("10.99.0.0/24", client)), "/srv/omkt") == ()


def test_squashing_all_users_to_the_farm_s_is_safe() -> None:
    assert faults_of(parse_exports(SAFE.replace("no_all_squash", "all_squash")), "/srv/omkt") == ()


def test_a_tree_that_nobody_exports_is_named_with_what_to_run() -> None:
    for table in ("", "/srv/other\t10.0.0.1(rw,sync)\n", "no table at all"):
        (fault,) = faults_of(parse_exports(table), "/srv/omkt")
        assert "nfs/serve.sh" in fault


def test_every_client_of_the_tree_counts_and_others_do_not() -> None:
    table = SAFE + SAFE.replace("10.99.0.0/24", "10.98.0.1").replace("sync", "async") + "/srv/other\t*(rw,async)\n"
    (fault,) = faults_of(parse_exports(table), "/srv/omkt")
    assert "10.98.0.1" in fault


def test_the_folder_above_carries_the_tree_too() -> None:
    assert faults_of(parse_exports(SAFE.replace("/srv/omkt", "/srv")), "/srv/omkt") == ()


def test_a_space_in_a_path_is_written_in_octal() -> None:
    (export,) = parse_exports(SAFE.replace("/srv/omkt", "/srv/my\\040films"))
    assert export.path == "/srv/my films"
