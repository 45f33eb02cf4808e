"""A secondary host's user of the database: all that a worker does, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.servers.databases import clean_database

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.revision import check_revision
from omkt_pipeline.db.rights import drop_user, make_worker_user, renew_rights, user_for
from omkt_pipeline.domain.errors import Refused, SourceError, Unavailable
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.beat import beat
from omkt_pipeline.queue.exports import export_faults
from omkt_pipeline.queue.farm import found_farm
from omkt_pipeline.queue.giveback import fail, release
from omkt_pipeline.queue.jobs import cancel
from omkt_pipeline.queue.rescue import Rescuer, promote
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.queue.workers import UP, register, sign
from omkt_pipeline.testing import a_claimant, a_job, a_plan, a_planned_job, a_settlement, an_account, take, taken


@pytest.fixture
def root(server_name: str, tmp_path: Path) -> Iterator[Database]:
    with clean_database(server_name, tmp_path) as database:
        yield database


@pytest.fixture
def worker(root: Database) -> Iterator[Database]:
    user, password = make_worker_user(root, "alpha")
    opened = Database(root.url.set(username=user, password=password).render_as_string(hide_password=False))
    yield opened
    opened.close()
    drop_user(root, user)


def test_a_worker_does_all_its_work_with_it(root: Database, worker: Database) -> None:
    account = an_account(root)
    found_farm(root)
    check_revision(worker)
    assert export_faults(worker)
    worker_id = register(worker, host="alpha", pool=Pool.TRANSCODER, version="1", slots=1, facts={})
    assert not sign(worker, worker_id, state=UP, facts={"speed": 1.0}).drain
    a_claimant(worker, Pool.METADATA)

    for kind in ("probe", "plan"):
        if kind == "probe":
            a_job(root, account, path="film.mov")
        held = taken(worker, Pool.METADATA)
        beat(worker, held, lease_seconds=60, progress=0.5)
        settle(worker, held, a_settlement(held))
    while (held := take(worker, Pool.TRANSCODER)) is not None:
        settle(worker, held, a_settlement(held))

    failing = a_planned_job(root, account, a_plan(encodes=2))
    fail(worker, taken(worker, Pool.TRANSCODER), Unavailable(), host="alpha")
    release(worker, taken(worker, Pool.TRANSCODER))
    fail(worker, taken(worker, Pool.TRANSCODER), SourceError(), host="alpha")
    cancelled = a_planned_job(root, account, a_plan())
    cancel(root, account, cancelled)
    worker.transact(Rescuer(worker, lease_seconds=60)._take_back)
    Rescuer(worker, lease_seconds=60).rescue()
    promote(worker)
    assert failing


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM api_key",
        "SELECT webhook_secret FROM account",
        "SELECT link_key FROM farm",
        "INSERT INTO account (name, weight, webhook_secret, created_at) VALUES ('x', 1, 'x', now())",
        "UPDATE account SET weight = 1000",
        "UPDATE account SET operator = 1",
        "UPDATE farm SET exports = NULL",
        "DELETE FROM job",
        "DELETE FROM task",
        "DELETE FROM host",
        "SELECT * FROM idempotency",
        "UPDATE outbox SET url = 'http://x'",
        "SELECT * FROM delivery",
        "DROP TABLE task",
        "ALTER TABLE task ADD COLUMN x INT",
        "CREATE TABLE x (y INT)",
        "CREATE USER 'x'@'%'",
        "GRANT SELECT ON *.* TO 'root'@'%'",
        "SELECT * FROM mysql.user",
        "SELECT 1 INTO OUTFILE '/tmp/omkt-rights'",
        "SET GLOBAL max_connections = 1",
    ],
)
def test_and_nothing_else(worker: Database, statement: str) -> None:
    with pytest.raises(DBAPIError) as refused, worker.engine.begin() as connection:
        connection.execute(text(statement))
    # denied: to a table, a column, a schema, a server privilege; or OUTFILE, which the server allows to nobody
    assert refused.value.orig is not None
    assert refused.value.orig.args[0] in (1044, 1045, 1142, 1143, 1227, 1290, 1410, 1698)


def test_a_new_invitation_makes_a_new_password(root: Database, worker: Database) -> None:
    _, password = make_worker_user(root, "alpha")

    assert password != worker.url.password
    again = Database(worker.url.render_as_string(hide_password=False))
    with pytest.raises(DBAPIError), again.engine.connect():
        pass
    again.close()


def test_an_upgrade_gives_the_hosts_that_are_there_the_rights_of_its_version(root: Database, worker: Database) -> None:
    found_farm(root)
    schema = root.url.database
    with root.engine.begin() as connection:
        revoke = f"REVOKE SELECT ON `{schema}`.`media` FROM :user@'%'"  # noqa: S608 - a schema that this test made
        connection.execute(text(revoke), {"user": worker.url.username})
    with pytest.raises(DBAPIError), worker.engine.begin() as connection:
        connection.execute(text("SELECT 1 FROM media"))

    renew_rights(root, [str(worker.url.username)])

    with worker.engine.begin() as connection:
        connection.execute(text("SELECT 1 FROM media"))
    with pytest.raises(Refused, match="admin"):
        renew_rights(worker, [str(worker.url.username)])


def test_only_the_database_root_makes_users(worker: Database) -> None:
    with pytest.raises(Refused, match="admin"):
        make_worker_user(worker, "beta")


def test_an_embedded_farm_has_none(sqlite: Database) -> None:
    with pytest.raises(Refused, match="embedded"):
        make_worker_user(sqlite, "beta")


def test_users_of_different_hosts_differ_and_fit_the_server() -> None:
    names = {user_for(f"{'encoder-of-the-basement-' * 2}{number}") for number in range(100)}
    assert len(names) == 100
    assert max(map(len, names)) <= 32
