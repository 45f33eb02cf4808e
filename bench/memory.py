"""memory: what each process of an idle farm keeps in memory."""

import http.client
import time
from pathlib import Path

from bench.processes import resident_mib, services, wait_until_ready
from bench.report import Figure, report
from bench.servers import Server, address, on_one
from tests.servers.mariadb import free_port

from omkt_pipeline.queue.accounts import create_account

_SETTLE_SECONDS = 10.0
_REQUESTS = 50
#: MiB; a megabyte is a little less.
_AT_MOST = {"api": 130.0, "courier": 100.0, "metadata": 100.0, "transcoder": 100.0}


def run() -> None:
    """Measure on one server."""
    on_one(_measure)


def _measure(server: Server, folder: Path) -> None:
    database, share = server.farm("farm", folder)
    _, key = create_account(database, "bench")
    port = free_port()
    with services(
        *_AT_MOST,
        database_url=address(database),
        share_root=share.root,
        folder=folder / "services",
        extra={"OMKT_HTTP_PORT": str(port)},
    ) as pids:
        wait_until_ready(port)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(_REQUESTS):
            # An API that has never been asked has not loaded everything yet.
            connection.request("GET", "/v1/jobs", headers={"Authorization": f"Bearer {key}"})
            connection.getresponse().read()
        time.sleep(_SETTLE_SECONDS)
        found = {name: resident_mib(pid) for name, pid in pids.items()}
    report(
        "memory",
        [Figure(name=name, value=mib, unit=" MiB", at_most=_AT_MOST[name]) for name, mib in found.items()],
        {"server": server.name},
    )
