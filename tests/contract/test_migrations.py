"""Migrations: one head, the same on every database, on empty and on filled ones, equal to the tables in code."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Executable, inspect, text, update
from sqlmodel import SQLModel
from tests.contract.looking import count, snapshot
from tests.servers.databases import ENGINES, empty_database

import omkt_pipeline.db
from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.migrate import head, upgrade
from omkt_pipeline.db.revision import HEAD, check_revision
from omkt_pipeline.db.tables import farm, task
from omkt_pipeline.domain.errors import Unavailable
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.farm import found_farm
from omkt_pipeline.testing import a_job, an_account, taken


def run(database: Database, statement: Executable) -> None:
    database.transact(lambda connection: connection.execute(statement) and None)


@pytest.fixture(params=ENGINES)
def unmigrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with empty_database(request.param, tmp_path) as database:
        yield database


def test_there_is_one_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(omkt_pipeline.db.__path__[0]) / "migrations"))

    assert ScriptDirectory.from_config(config).get_heads() == [head()] == [HEAD]


def test_an_empty_database_is_refused_with_what_to_run_and_then_migrated(unmigrated: Database) -> None:
    with pytest.raises(Unavailable, match="omkt migrate"):
        check_revision(unmigrated)

    upgrade(unmigrated)

    check_revision(unmigrated)
    a_job(unmigrated, an_account(unmigrated))


def test_a_newer_schema_serves_the_programs_that_it_says_it_serves(unmigrated: Database) -> None:
    upgrade(unmigrated)
    found_farm(unmigrated)
    run(unmigrated, text("UPDATE alembic_version SET version_num = '9998'"))

    check_revision(unmigrated)
    assert upgrade(unmigrated) == "9998", "who goes back a version leaves the schema alone"
    run(unmigrated, update(farm).values(oldest_revision="9998"))

    with pytest.raises(Unavailable, match="images of the main host") as refusal:
        check_revision(unmigrated)
    assert refusal.value.code == "database_too_new"
    with pytest.raises(Unavailable, match="images of the main host"):
        upgrade(unmigrated)


def test_a_filled_database_keeps_every_row(unmigrated: Database) -> None:
    upgrade(unmigrated)
    for _ in range(3):
        a_job(unmigrated, an_account(unmigrated, f"account-{count(unmigrated, task)}"))
    taken(unmigrated, Pool.COURIER)
    before = snapshot(unmigrated)

    upgrade(unmigrated)

    assert snapshot(unmigrated) == before


def test_two_migrations_at_once_do_no_harm(unmigrated: Database) -> None:
    url = unmigrated.url.render_as_string(hide_password=False)
    program = f"from omkt_pipeline.db import engine, migrate; print(migrate.upgrade(engine.Database({url!r})))"
    both = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]

    assert [process.communicate()[0].strip() for process in both] == [head()] * 2
    check_revision(unmigrated)
    a_job(unmigrated, an_account(unmigrated))


def test_the_migrated_schema_is_the_one_in_code(unmigrated: Database) -> None:
    upgrade(unmigrated)

    with unmigrated.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_the_invariants_stand_in_the_schema(unmigrated: Database) -> None:
    upgrade(unmigrated)

    found = {str(constraint["name"]) for constraint in inspect(unmigrated.engine).get_check_constraints("task")}
    assert {"leased_exactly_while_running", "published_exactly_when_done"} <= found
