"""A MySQL server of our own: the image that Compose uses, with Compose's settings, on a loopback port."""

import os
import subprocess
from pathlib import Path

from tests.servers.mariadb import free_port, wait_until_it_answers

IMAGE = "mysql:9.7"
_SETTINGS = Path(__file__).resolve().parents[2] / "compose" / "mysql" / "my.cnf"
_LABEL = "omkt-test-of"


class MySqlServer:
    """One container, killed and started again at will. Removed at the end, or by the next run if this one is killed."""

    password = "root"

    def __init__(self) -> None:
        _remove_left_overs()
        self.port = free_port()
        self._name = f"omkt-test-mysql-{os.getpid()}"
        _docker(
            "run", "--detach", f"--name={self._name}", f"--label={_LABEL}={os.getpid()}",
            f"--env=MYSQL_ROOT_PASSWORD={self.password}", f"--publish=127.0.0.1:{self.port}:3306",
            f"--volume={_SETTINGS}:/etc/mysql/conf.d/omkt.cnf:ro", IMAGE, "--innodb-buffer-pool-size=128M",
        )  # fmt: skip
        wait_until_it_answers(self.port, self.password)

    @property
    def url(self) -> str:
        return f"mysql+pymysql://root:{self.password}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, on the same data and port, and wait until it answers."""
        _docker("start", self._name)
        wait_until_it_answers(self.port, self.password)

    def kill(self) -> None:
        """kill -9."""
        _docker("kill", "--signal=KILL", self._name)
        _docker("wait", self._name)

    def close(self) -> None:
        _docker("rm", "--force", "--volumes", self._name)


def _remove_left_overs() -> None:
    listed = _docker("ps", "--all", f"--filter=label={_LABEL}", "--format", f'{{{{.ID}}}} {{{{.Label "{_LABEL}"}}}}')
    for line in listed.splitlines():
        container, process = line.split()
        if not Path(f"/proc/{process}").exists():
            _docker("rm", "--force", "--volumes", container)


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docker {arguments[0]}: {done.stderr}"
    return done.stdout
