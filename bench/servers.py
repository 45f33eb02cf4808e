"""Database servers to measure: the ones the tests use, with the settings of the farm, and farms founded on them."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from bench.processes import cpu_seconds
from sqlalchemy import create_engine, text
from tests.servers.mariadb import MariaDbServer
from tests.servers.mysql import IMAGE, MySqlServer

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.migrate import upgrade
from omkt_pipeline.queue.farm import found_farm
from omkt_pipeline.storage.share import Share


def has_docker_image(image: str) -> bool:
    """Whether containers of this image can be started here."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode == 0


def available() -> list[str]:
    """The servers this machine can carry; MySQL first, which is what a farm runs on."""
    found = ["mysql"] if has_docker_image(IMAGE) else []
    return [*found, "mariadb"] if shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin") else found


@dataclass(frozen=True)
class Server:
    """A running server."""

    name: str
    url: str
    pid: int
    options: str = ""  #: behind the name of a database in its address

    def cpu_seconds(self) -> float:
        """CPU time of the server process so far."""
        return cpu_seconds(self.pid)

    def farm(self, name: str, folder: Path) -> tuple[Database, Share]:
        """A new farm: a schema of its own, migrated, and a share."""
        root = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with root.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        root.dispose()
        database = Database(f"{self.url}/{name}{self.options}")
        upgrade(database)
        return database, Share.create(folder / name, farm_id=found_farm(database).id)


@contextmanager
def serving(name: str) -> Iterator[Server]:
    """The server of this name, while the block runs."""
    server = MySqlServer() if name == "mysql" else MariaDbServer()
    try:
        yield (
            _in_container(server.port, server.url)
            if name == "mysql"
            else Server(name, server.url, _listener(server.port))
        )
    finally:
        server.close()


def on_one(measure: Callable[[Server, Path], None]) -> None:
    """Measure on MySQL, or on MariaDB where that is all there is, with a folder for what is made."""
    for name in available()[:1]:
        with serving(name) as server, tempfile.TemporaryDirectory(prefix="omkt-bench-") as folder:
            measure(server, Path(folder))


def address(database: Database) -> str:
    """The database's URL with its password, for another process."""
    return database.url.render_as_string(hide_password=False)


def _in_container(port: int, url: str) -> Server:
    """As a main host's containers reach it: at its own address, and without TLS (compose/compose.yaml). The published port
    leads through a process of Docker's that copies each byte."""
    container = _docker("ps", "--quiet", f"--filter=publish={port}")
    pid, host = _docker("inspect", "--format={{.State.Pid}} {{.NetworkSettings.IPAddress}}", container).split()
    return Server("mysql", url.replace(f"127.0.0.1:{port}", f"{host}:3306"), int(pid), "?ssl_disabled=true")


def _listener(port: int) -> int:
    return next(p.pid for p in psutil.process_iter(["cmdline"]) if f"--port={port}" in (p.info["cmdline"] or ()))


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()
