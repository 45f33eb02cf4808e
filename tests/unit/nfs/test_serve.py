"""nfs/serve.sh exports one folder to private clients, safely, or says in a sentence why it does not."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

NFS = Path(__file__).parents[3] / "nfs"


def dry_run(*clients: str, tree: str = "/srv/omkt-of-a-test", folder: Path = NFS) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(folder / "serve.sh"), "--dry-run", *clients],
        env={"PATH": os.environ["PATH"], "OMKT_MEDIA_TREE": tree},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_it_writes_keeps_what_was_confirmed_and_squashes_everybody() -> None:
    done = dry_run("10.0.0.0/24", "encoder-2.lan")
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("/srv/omkt-of-a-test "))
    clients = [word.rstrip(")").split("(") for word in line.split(" ")[1:]]

    assert [name for name, _ in clients] == ["10.0.0.0/24", "encoder-2.lan"]
    safe = {"rw", "sync", "no_subtree_check", "root_squash", "all_squash", "anonuid=20000", "anongid=20000", "fsid=0"}
    for _, options in clients:
        assert set(options.split(",")) == safe
    assert "vers3=n" in done.stdout
    assert "vers4.2=y" in done.stdout


@pytest.mark.parametrize(
    ("client", "reason"),
    [
        ("0.0.0.0/0", "everybody"),
        ("::/0", "everybody"),
        ("*", "patterns"),
        ("*.example.org", "patterns"),
        ("10.0.0.1(rw,async)", "patterns"),
        ("8.8.8.8", "public"),
        ("172.32.0.0/16", "public"),
        ("2001:db8::1", "public"),
        ("10.0.0.0/7", "public addresses too"),
        ("172.16.0.0/11", "public addresses too"),
        ("192.168.0.0/15", "public addresses too"),
        ("10.0.0.0/255.255.255.0", "number of bits"),
    ],
)
def test_whoever_is_not_private_is_refused(client: str, reason: str) -> None:
    done = dry_run("10.0.0.0/24", client)
    assert done.returncode == 1
    assert reason in done.stderr
    assert "would" not in done.stdout


@pytest.mark.parametrize(
    "client", ["10.1.2.3", "172.31.0.0/16", "192.168.7.0/24", "100.64.0.0/10", "fd00:1::/64", "node-2"]
)
def test_private_networks_addresses_and_names_are_taken(client: str) -> None:
    assert dry_run(client).returncode == 0


@pytest.mark.parametrize("tree", ["/", "/srv", "/var/www", "/srv/../etc", "relative", "/srv/a b", "/srv/x(rw)"])
def test_a_folder_that_is_not_the_share_s_own_is_refused(tree: str) -> None:
    done = dry_run("10.0.0.1", tree=tree)
    assert done.returncode == 1
    assert "OMKT_MEDIA_TREE" in done.stderr


def test_code_and_secrets_are_never_exported(tmp_path: Path) -> None:
    shutil.copytree(NFS, tmp_path / "checkout" / "nfs")
    for tree in (tmp_path, tmp_path / "checkout", tmp_path / "checkout" / "media"):
        done = dry_run("10.0.0.1", tree=str(tree), folder=tmp_path / "checkout" / "nfs")
        assert done.returncode == 1
        assert "checkout" in done.stderr


def test_files_of_others_are_never_taken_for_the_share(tmp_path: Path) -> None:
    (tmp_path / "film.mov").touch()
    done = dry_run("10.0.0.1", tree=str(tmp_path))
    assert done.returncode == 1
    assert "chown -R 20000:20000" in done.stderr


def test_without_a_client_it_says_how_it_is_called() -> None:
    done = dry_run()
    assert done.returncode == 2
    assert "CLIENT" in done.stderr
