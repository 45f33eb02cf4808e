"""The fixtures that give a test its database; a conftest imports what its tests use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.databases import ENGINES, SERVERS, clean_database

from omkt_pipeline.db.engine import Database
from omkt_pipeline.testing import an_account


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A clean farm, on every database that this run has."""
    with clean_database(request.param, tmp_path) as database:
        yield database


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """A clean farm on SQLite."""
    with clean_database("sqlite", tmp_path) as database:
        yield database


@pytest.fixture
def account(database: Database) -> int:
    """The id of an account on `database`."""
    return an_account(database)


def on_each_server(metafunc: pytest.Metafunc) -> None:
    """Call a test that asks for `server_name` once for each real server."""
    if "server_name" in metafunc.fixturenames and SERVERS:
        metafunc.parametrize("server_name", SERVERS)


def leave_out_what_needs_a_server(items: list[pytest.Item]) -> None:
    """Without a real server, tests that ask for one are not collected."""
    if not SERVERS:
        items[:] = [item for item in items if "server_name" not in getattr(item, "fixturenames", ())]
