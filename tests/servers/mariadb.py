"""A MariaDB server of our own: a process on a loopback port, in a temporary folder, killed and started again at will."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pymysql

START_SECONDS = 60.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_it_answers(port: int, password: str) -> None:
    """Return as soon as the server on this port takes statements."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            pymysql.connect(host="127.0.0.1", port=port, user="root", password=password, connect_timeout=2).close()
            return
        except (pymysql.err.OperationalError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


class MariaDbServer:
    """Debian's mariadbd with the settings that db/check.py asks for. Dies with this process."""

    password = ""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="omkt-mariadb-"))
        self._user = _unprivileged_user()
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._install()
        self.start()

    @property
    def url(self) -> str:
        return f"mysql+pymysql://root@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, on the same data and port, and wait until it answers."""
        folder = self._folder
        command = [
            *self._as_user(), _program("mariadbd"), "--no-defaults",
            f"--datadir={folder}/data", f"--tmpdir={folder}", f"--socket={folder}/socket", f"--pid-file={folder}/pid",
            "--bind-address=127.0.0.1", f"--port={self.port}", "--skip-name-resolve",
            f"--log-error={folder}/log", f"--log-bin={folder}/binlog", "--server-id=1", "--binlog-format=ROW",
            "--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1", "--innodb-buffer-pool-size=128M",
            "--character-set-server=utf8mb4", "--max-connections=300", "--innodb-print-all-deadlocks=1",
        ]  # fmt: skip
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until_it_answers(self.port, self.password)

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _install(self) -> None:
        # A server that starts empties its folder of temporary tables: in one that two share, the other's installation fails.
        command = [
            *self._as_user(), _program("mariadb-install-db"), "--no-defaults", f"--datadir={self._folder}/data",
            f"--tmpdir={self._folder}", "--auth-root-authentication-method=normal", "--skip-test-db",
        ]  # fmt: skip
        done = subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=self._folder
        )
        assert done.returncode == 0, f"mariadb-install-db failed: {done.stdout}{done.stderr}"

    def _as_user(self) -> list[str]:
        setpriv = ["setpriv", "--pdeathsig", "KILL"]
        if self._user is not None:
            group = pwd.getpwnam(self._user).pw_gid
            setpriv += [f"--reuid={self._user}", f"--regid={group}", "--clear-groups"]
        return [*setpriv, "--"]


def _unprivileged_user() -> str | None:
    """Who runs the server: the package's user, when we are root, whom it refuses."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "mysql" if "mysql" in known else "nobody"


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    assert found is not None, f"{name} is not installed; tests/run.py says what to install"
    return found
