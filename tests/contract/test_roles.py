"""The database users of the main host's services: each does all its work, and nothing that is not its own."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError
from tests.contract.test_statements import use_uploads
from tests.contract.test_wire import a_client, given, ordered
from tests.servers.databases import clean_database

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.revision import check_revision
from omkt_pipeline.db.rights import drop_user, make_role_user
from omkt_pipeline.db.roles import Role
from omkt_pipeline.db.tables import media
from omkt_pipeline.domain.account import Scope
from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.job import Callback, JobState, MediaState, Priority, Source, SourceKind
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.presets import shipped
from omkt_pipeline.queue import endpoints, feed, hosts, maintenance, presets, quotas, tenants, trail, troubles
from omkt_pipeline.queue.accounts import accounts, add_key, authenticate, create_account, revoke_key
from omkt_pipeline.queue.api_keys import create_key, keys_of, revoke_own_key
from omkt_pipeline.queue.beat import beat
from omkt_pipeline.queue.deadlines import enforce_deadlines
from omkt_pipeline.queue.deliveries import messages_of, replay
from omkt_pipeline.queue.exports import report_exports
from omkt_pipeline.queue.farm import found_farm, link_key
from omkt_pipeline.queue.giveback import fail
from omkt_pipeline.queue.jobs import cancel, retry
from omkt_pipeline.queue.media import delete_media, media_page
from omkt_pipeline.queue.outbox import claim_due, record_delivered
from omkt_pipeline.queue.overview import job_by_key, jobs_page, queue_depth, tasks_of
from omkt_pipeline.queue.priority import prioritise
from omkt_pipeline.queue.rescue import Rescuer, promote, promote_aged
from omkt_pipeline.queue.retention import (
    expire_jobs,
    expire_media,
    forget_requests,
    mark_removed,
    mark_swept,
    removable_media,
    sweepable,
)
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.queue.strays import wanted_jobs, wanted_media
from omkt_pipeline.queue.uploads import create_upload, expire_uploads
from omkt_pipeline.queue.wire import applications, clients, cron
from omkt_pipeline.queue.workers import UP, bury, register, sign, workers
from omkt_pipeline.testing import a_job, a_plan, a_planned_job, a_settlement, an_account, take, taken

#: Denied: to a table, a column, a schema, a privilege of the server.
DENIED = (1044, 1045, 1142, 1143, 1227, 1410, 1698)


@pytest.fixture
def root(server_name: str, tmp_path: Path) -> Iterator[Database]:
    with clean_database(server_name, tmp_path) as database:
        found_farm(database)
        yield database


@contextmanager
def opened_as(root: Database, role: Role) -> Iterator[Database]:
    password = secrets.token_urlsafe(16)
    user = make_role_user(root, role, password)
    opened = Database(root.url.set(username=user, password=password).render_as_string(hide_password=False))
    yield opened
    opened.close()
    drop_user(root, user)


@pytest.fixture
def api(root: Database) -> Iterator[Database]:
    with opened_as(root, Role.API) as opened:
        yield opened


@pytest.fixture
def courier(root: Database) -> Iterator[Database]:
    with opened_as(root, Role.COURIER) as opened:
        yield opened


def test_the_api_serves_jobs_uploads_and_media_with_it(root: Database, api: Database) -> None:
    check_revision(api)
    assert link_key(api)
    account = an_account(api)
    asked = {"path": "film.mov", "callback": Callback(url="https://x.example/"), "idempotency_key": "k"}
    done = a_job(api, account, **asked)
    assert a_job(api, account, **asked) == done
    prioritise(api, account, done, Priority.HIGH)
    for _ in range(2):
        held = taken(root, Pool.METADATA)
        settle(root, held, a_settlement(held))
    while (held := take(root, Pool.TRANSCODER)) is not None:
        settle(root, held, a_settlement(held))
    assert job_by_key(api, account, done).state is JobState.SUCCEEDED
    (message,) = messages_of(api, account, done)
    for due in claim_due(root, limit=5, lease_seconds=60):
        record_delivered(root, due, status=200, seconds=0.1)
    replay(api, account, done, message.message_id)
    assert tasks_of(api, account, done)
    assert jobs_page(api, account, limit=5).jobs

    failing = a_planned_job(root, account, a_plan())
    fail(root, taken(root, Pool.TRANSCODER), SourceError(), host="alpha")
    retry(api, account, failing)
    cancel(api, account, failing)
    use_uploads_as_the_api(api, account)
    known = job_by_key(api, account, done).media
    assert known is not None
    assert media_page(api, account, limit=5)
    delete_media(api, account, known["key"])


def use_uploads_as_the_api(api: Database, account: int) -> None:
    key = create_upload(api, account, length=4, name=None, metadata=None, keep_seconds=60).key
    waiting = a_job(api, account, source=Source(kind=SourceKind.UPLOAD, value=key))
    cancel(api, account, waiting)
    use_uploads(api, account)


def test_the_api_keeps_accounts_keys_presets_endpoints_and_hosts_with_it(root: Database, api: Database) -> None:
    mine, key = create_account(api, "mine")
    assert authenticate(api, str(key)).id == mine.id
    revoke_key(api, add_key(api, "mine", "second").id)
    revoke_own_key(api, mine.id, create_key(api, mine.id, name="r", scope=Scope.READ, expires_at=None).id)
    assert keys_of(api, mine.id)
    assert accounts(api)
    tenants.change_tenant(api, "mine", {"max_upload_bytes": 5})
    assert tenants.tenants(api, limit=5)
    trail.record(api, "create_key", "/v1/keys", account_id=mine.id)
    assert trail.steps(api, limit=5)
    quotas.usage_of(api, mine.id)
    own = shipped()["mp4-720p"].model_copy(update={"id": "own"})
    presets.put(api, own)
    presets.put(api, own.model_copy(update={"title": "other"}))
    presets.remove(api, "own")
    endpoint, _ = endpoints.create_endpoint(api, mine.id, url="https://x.example/", topics=())
    endpoints.change_endpoint(api, mine.id, endpoint.key, enabled=False)
    endpoints.rotate_secret(api, mine.id, endpoint.key)
    endpoints.delete_endpoint(api, mine.id, endpoint.key)
    register(root, host="alpha", pool=Pool.TRANSCODER, version="1", slots=1, facts={})
    hosts.order(api, "alpha", drain=True)
    bury(root, silent_seconds=-1)
    hosts.remove(api, "alpha")
    maintenance.pause(api, [Pool.TRANSCODER])
    maintenance.pause(api, [])
    assert workers(api) == []
    queue_depth(api)
    troubles.troubles(api, limit=5)
    troubles.stored(api)
    feed.after(api, mine.id, 0)


def test_the_api_speaks_with_the_originals_clients_with_it(root: Database, api: Database) -> None:
    ann = a_client(api, "ann")
    given(api, ann)
    fail(root, taken(root, Pool.COURIER), SourceError(), host="alpha")
    given(api, ann, url="https://media.ann.example/other.mp4")
    assert clients.all_clients(api)
    assert applications.admit(api, "site", "1")
    applications.deny(api, "site", "1")
    clients.set_enabled(api, "ann@example.org", enabled=False)
    clients.set_enabled(api, "ann@example.org", enabled=True)
    new = clients.subscribe(api, email="bob@example.org", url="https://b.example/", app_key="s", validated=False)
    told = clients.new_token(root, clients.client_of(api, new).account_id)
    assert told is not None
    clients.confirm(api, told[0])
    probed = update(media).values(state=MediaState.PROBED, path="originals/x")
    root.transact(lambda connection: connection.execute(probed) and None)
    ordered(api, ann)


def test_the_courier_fetches_tells_and_expires_with_it(root: Database, courier: Database) -> None:
    account = an_account(root)
    check_revision(courier)
    worker = register(courier, host="main", pool=Pool.COURIER, version="1", slots=4, facts={})
    assert not sign(courier, worker, state=UP, facts={}).paused
    a_job(root, account, callback=Callback(url="https://x.example/"))
    held = taken(courier, Pool.COURIER)
    beat(courier, held, lease_seconds=60, progress=0.5)
    settle(courier, held, a_settlement(held))
    a_job(root, account, callback=Callback(url="https://x.example/"))
    endpoints.create_endpoint(root, account, url="https://x.example/", topics=())
    fail(courier, taken(courier, Pool.COURIER), SourceError(), host="main")
    for message in claim_due(courier, limit=5, lease_seconds=60):
        record_delivered(courier, message, status=200, seconds=0.1)
    courier.transact(Rescuer(courier, lease_seconds=60)._take_back)
    Rescuer(courier, lease_seconds=60).rescue()
    promote(courier)
    promote_aged(courier)
    enforce_deadlines(courier)
    report_exports(courier, [], ["none"])
    bury(courier, silent_seconds=3600)
    for state in JobState:
        expire_jobs(courier, state=state, after_seconds=-1)
    for ended in sweepable(courier):
        mark_swept(courier, ended)
    expire_media(courier, after_seconds=-1)
    for one in removable_media(courier):
        mark_removed(courier, one)
    forget_requests(courier)
    feed.forget_events(courier)
    trail.forget_steps(courier)
    late = create_upload(root, account, length=4, name=None, metadata=None, keep_seconds=-1).key
    a_job(root, account, source=Source(kind=SourceKind.UPLOAD, value=late))
    assert expire_uploads(courier) == [late]
    wanted_media(courier, [late])
    wanted_jobs(courier, ["x"])


def test_the_courier_calls_the_originals_clients_with_it(root: Database, courier: Database) -> None:
    ann = a_client(root, "ann")
    given(root, ann)
    held = taken(courier, Pool.COURIER)
    settle(courier, held, a_settlement(held))
    root.transact(
        lambda connection: connection.execute(text("UPDATE wire_client SET cron_due_at = '2000-01-01'")) and None
    )
    (call,) = cron.claim_due(courier, limit=5)
    cron.record(courier, call, ok=True, seconds=0.1)
    assert clients.client_by_account(courier, ann.account_id) is not None
    clients.disable_inactive(courier, silent_days=0.0, cron_failing_days=0.0)
    new = clients.subscribe(root, email="bob@example.org", url="https://b.example/", app_key="s", validated=False)
    assert clients.new_token(courier, clients.client_of(root, new).account_id) is not None


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE task",
        "CREATE TABLE x (y INT)",
        "ALTER TABLE job ADD COLUMN x INT",
        "CREATE USER 'x'@'%'",
        "SELECT * FROM mysql.user",
        "SET GLOBAL max_connections = 1",
        "UPDATE alembic_version SET version_num = 'x'",
        "UPDATE farm SET farm_id = 'x'",
        "DELETE FROM farm",
        "DELETE FROM job",
        "DELETE FROM task",
        "DELETE FROM account",
        "UPDATE artifact SET sha256 = 'x'",
        "UPDATE trail SET action = 'x'",
    ],
)
@pytest.mark.parametrize("role", [Role.API, Role.COURIER])
def test_neither_rules_the_schema_or_forgets_work(root: Database, role: Role, statement: str) -> None:
    with opened_as(root, role) as opened:
        assert refusal(opened, statement) in DENIED


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        (Role.API, "UPDATE task_attempt SET host = 'x'"),
        (Role.API, "INSERT INTO worker (host) VALUES ('x')"),
        (Role.API, "UPDATE delivery SET status = 200"),
        (Role.API, "UPDATE farm SET exports = NULL"),
        (Role.API, "DELETE FROM api_key"),
        (Role.COURIER, "SELECT * FROM api_key"),
        (Role.COURIER, "SELECT link_key FROM farm"),
        (Role.COURIER, "UPDATE account SET operator = 1"),
        (Role.COURIER, "INSERT INTO job (job_key) VALUES ('x')"),
        (Role.COURIER, "INSERT INTO task (job_id) VALUES (1)"),
        (Role.COURIER, "UPDATE farm SET paused = NULL"),
        (Role.COURIER, "DELETE FROM webhook_endpoint"),
        (Role.COURIER, "SELECT * FROM preset"),
    ],
)
def test_what_is_the_others_is_not_its_own(root: Database, role: Role, statement: str) -> None:
    with opened_as(root, role) as opened:
        assert refusal(opened, statement) in DENIED


def refusal(database: Database, statement: str) -> int | None:
    with pytest.raises(DBAPIError) as refused, database.engine.begin() as connection:
        connection.execute(text(statement))
    assert refused.value.orig is not None
    return int(refused.value.orig.args[0])


def test_again_gives_a_new_password_to_the_same_user(root: Database) -> None:
    assert make_role_user(root, Role.API, "one") == make_role_user(root, Role.API, "two") == "omkt-api"
    first, second = (
        Database(root.url.set(username="omkt-api", password=word).render_as_string(hide_password=False))
        for word in ("one", "two")
    )
    with pytest.raises(DBAPIError), first.engine.connect():
        pass
    with second.engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    for opened in (first, second):
        opened.close()
    drop_user(root, "omkt-api")
