"""Where an embedded farm may lie."""

from pathlib import Path

import pytest

from omkt_cli.farm.place import Place, filesystem_of
from omkt_cli.faults import Exit, Fault

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /home rw,relatime shared:9 - nfs4 server:/home rw
41 22 8:2 / /home/local\\040disk rw - xfs /dev/sdb1 rw
42 22 0:40 / /data rw - ext4 /dev/sdc1 rw
43 42 0:41 / /data rw - nfs server:/data rw
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/farm", "ext4"),
        ("/home/me/var/farm", "nfs4"),
        ("/homeless", "ext4"),
        ("/home/local disk/farm", "xfs"),
        ("/data/farm", "nfs"),
    ],
)
def test_the_file_system_is_that_of_the_deepest_and_latest_mount(path: str, expected: str) -> None:
    assert filesystem_of(Path(path), MOUNTS) == expected


def test_without_a_list_of_mounts_the_file_system_is_unknown() -> None:
    assert filesystem_of(Path("/var"), "") == "unknown"


def test_a_root_below_a_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(Fault, match="cannot hold a farm") as caught:
        Place(tmp_path / "file" / "farm").prepare()

    assert caught.value.exit_code is Exit.USAGE


def test_a_root_is_for_its_user_alone(tmp_path: Path) -> None:
    Place(tmp_path / "farm").prepare()

    assert (tmp_path / "farm").stat().st_mode & 0o077 == 0
