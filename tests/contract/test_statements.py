"""Every statement of the queue stays inside its index on the real servers. SKIP LOCKED makes that a matter of correctness."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.contract.crowd import fill
from tests.contract.explain import Explained, explain, recorded
from tests.servers.databases import clean_database

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.errors import SourceError, Unavailable
from omkt_pipeline.domain.job import JobState, Priority, Source, SourceKind
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.beat import beat
from omkt_pipeline.queue.claim import claim_candidate, has_ready, ready_count
from omkt_pipeline.queue.deadlines import enforce_deadlines
from omkt_pipeline.queue.deliveries import messages_of, replay
from omkt_pipeline.queue.giveback import fail, release
from omkt_pipeline.queue.jobs import cancel, retry
from omkt_pipeline.queue.media import delete_media, media_by_key, media_page
from omkt_pipeline.queue.outbox import claim_due, record_delivered
from omkt_pipeline.queue.overview import job_by_key, jobs_page, published_output, queue_depth, tasks_of
from omkt_pipeline.queue.priority import prioritise
from omkt_pipeline.queue.rescue import Rescuer, promote, promote_aged
from omkt_pipeline.queue.retention import expire_jobs, expire_media, forget_requests, mark_swept, sweepable
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.queue.strays import wanted_jobs, wanted_media
from omkt_pipeline.queue.twins import _add_twin, _free_slots, _pace, running_chunks
from omkt_pipeline.queue.uploads import (
    advance_upload,
    complete_upload,
    create_upload,
    end_upload,
    expire_uploads,
    hold_upload,
    let_go,
    upload_by_key,
)
from omkt_pipeline.queue.workers import workers
from omkt_pipeline.testing import a_job, a_plan, a_planned_job, a_settlement, an_account, take, taken

LARGE = {"task", "task_attempt", "task_edge", "artifact", "job", "media", "output", "outbox", "delivery", "idempotency"}


def use_everything(database: Database, account: int) -> None:
    """Call every verb of the queue once."""
    done = a_planned_job(database, account, a_plan(encodes=1), priority=Priority.HIGH, idempotency_key="k")
    for _ in range(2):
        held = taken(database, Pool.TRANSCODER)
        beat(database, held, lease_seconds=60, progress=0.5)
        settle(database, held, a_settlement(held))
    job_by_key(database, account, done)
    published_output(database, done, "film", account_id=account)
    tasks_of(database, account, done)
    failed = a_planned_job(database, account, a_plan(), priority=Priority.HIGH)
    for error in (Unavailable(), SourceError()):
        fail(database, taken(database, Pool.TRANSCODER), error, host="alpha")
    retry(database, account, failed)
    release(database, taken(database, Pool.TRANSCODER))
    cancel(database, account, failed)
    has_ready(database, Pool.TRANSCODER)
    has_ready(database, Pool.METADATA, patience_seconds=3.0)
    has_ready(database, Pool.TRANSCODER, lost_only=True)
    take(database, Pool.METADATA, patience_seconds=3.0)
    take(database, Pool.TRANSCODER, lost_only=True)
    ready_count(database, Pool.TRANSCODER, at_most=10)
    take(database, Pool.COURIER)
    database.transact(Rescuer(database, lease_seconds=60)._take_back)
    Rescuer(database, lease_seconds=60).rescue()
    promote(database)
    promote_aged(database)
    for message in claim_due(database, limit=5, lease_seconds=60):
        record_delivered(database, message, status=200, seconds=0.1)
    first = jobs_page(database, account, limit=1)
    jobs_page(database, account, limit=10, before=first.next_before, state=JobState.RUNNING)
    for ended in sweepable(database):
        mark_swept(database, ended)
    expire_jobs(database, state=JobState.SUCCEEDED, after_seconds=3600)
    expire_media(database, after_seconds=3600)
    forget_requests(database)
    queue_depth(database)
    workers(database)
    use_uploads(database, account)
    begin_a_second_start(database, account)
    use_what_clients_ask(database, account, done)


def use_what_clients_ask(database: Database, account: int, done: str) -> None:
    """Media, deadlines, priorities and the webhooks of a job."""
    enforce_deadlines(database)
    page = media_page(database, account, limit=1)
    media_page(database, account, limit=10, before=page.next_before)
    known = job_by_key(database, account, done).media
    assert known is not None
    media_by_key(database, account, known["key"])
    waiting = a_job(database, account, source=Source(kind=SourceKind.MEDIA, value=known["key"]))
    prioritise(database, account, waiting, Priority.HIGH)
    cancel(database, account, waiting)
    (message,) = messages_of(database, account, waiting)
    replay(database, account, waiting, message.message_id)
    delete_media(database, account, known["key"])


def use_uploads(database: Database, account: int) -> None:
    """Call every verb of resumable uploads, and of what finds strays, once."""
    keys = [
        create_upload(database, account, length=4, name=None, metadata=None, keep_seconds=keep).key
        for keep in (60, 60, -1)
    ]
    waiting = a_job(database, account, source=Source(kind=SourceKind.UPLOAD, value=keys[0]))
    cancel(database, account, waiting)
    retry(database, account, waiting)
    hold = hold_upload(database, account, keys[0], lease_seconds=60)
    advance_upload(database, hold, 2, lease_seconds=60, keep_seconds=60)
    complete_upload(database, hold, path="p", sha256="0" * 64)
    let_go(database, hold)
    upload_by_key(database, account, keys[0])
    end_upload(database, account, keys[1])
    assert expire_uploads(database) == keys[2:]
    wanted_media(database, keys)
    wanted_jobs(database, [waiting])


def begin_a_second_start(database: Database, account: int) -> None:
    """Every statement about two starts of the same work."""
    database.fetch(lambda connection: connection.execute(running_chunks(Pool.TRANSCODER)).all())
    a_planned_job(database, account, a_plan(encodes=2), priority=Priority.HIGH)
    first, done = (taken(database, Pool.TRANSCODER) for _ in range(2))
    settle(database, done, a_settlement(done))
    _pace(database, first.job_id)
    _free_slots(database, Pool.TRANSCODER)
    (seen,) = [
        row
        for row in database.fetch(lambda connection: connection.execute(running_chunks(Pool.TRANSCODER)).all())
        if row.id == first.id
    ]
    assert database.transact(lambda connection: _add_twin(connection, seen, "alpha"))
    settle(database, first, a_settlement(first))


@pytest.fixture(scope="module")
def plans_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Explained]]:
    """Every statement of the queue with its plan, by server; found once."""
    known: dict[str, list[Explained]] = {}

    def look(name: str) -> list[Explained]:
        if name not in known:
            with clean_database(name, tmp_path_factory.mktemp(name)) as database:
                known[name] = plans(database)
        return known[name]

    return look


def plans(database: Database) -> list[Explained]:
    account = an_account(database)
    fill(database, account)
    a_job(database, account)
    with recorded(database) as seen:
        use_everything(database, account)
    return [
        explain(database, statement, parameters)
        for statement, parameters in seen.items()
        if statement.split()[0] in ("SELECT", "UPDATE", "DELETE")
    ]


def key_of(explained: Explained, table: str) -> str | None:
    return next(access.key for access in explained.accesses if access.table == table)


def test_no_statement_reads_a_whole_table(server_name: str, plans_of: Callable[[str], list[Explained]]) -> None:
    scans = [
        one.statement
        for one in plans_of(server_name)
        for access in one.accesses
        if access.kind in ("ALL", "index") and access.table in LARGE
    ]

    assert scans == []


def test_what_takes_the_first_of_a_queue_does_not_sort(
    server_name: str, plans_of: Callable[[str], list[Explained]]
) -> None:
    queues = [one for one in plans_of(server_name) if one.locks_a_few_of_many]

    assert len(queues) >= 6
    assert [one.statement for one in queues if one.sorts] == []


@pytest.mark.parametrize(
    ("words", "table", "key"),
    [
        (("FORCE INDEX (k_claim)", "FOR UPDATE"), "task", "k_claim"),
        (("FORCE INDEX (k_lease)", "FOR UPDATE"), "task", "k_lease"),
        (("FORCE INDEX (k_lease)", "task.twin_id IS NULL"), "task", "k_lease"),
        (("task.run_at <= UTC", "FOR UPDATE"), "task", "k_due"),
        (("task.band > ", "FOR UPDATE"), "task", "k_due"),
        (("FROM outbox FORCE INDEX", "FOR UPDATE"), "outbox", "k_outbox_due"),
        (("FROM job INNER JOIN media", "job.state = "), "job", "k_job_account_state"),
        (("task.job_id = ", "task.state < ", "FOR UPDATE"), "task", "k_task_job"),
    ],
)
def test_each_question_has_its_index(
    server_name: str, plans_of: Callable[[str], list[Explained]], words: tuple[str, ...], table: str, key: str
) -> None:
    asked = [one for one in plans_of(server_name) if all(word in one.statement for word in words)]

    assert {key_of(one, table) for one in asked} == {key}


def test_an_open_claim_hides_no_other_task(server_name: str, tmp_path: Path) -> None:
    """The claim locks what it takes, and nothing that it only looked at."""
    with clean_database(server_name, tmp_path) as database:
        account = an_account(database)
        a_planned_job(database, account, a_plan(encodes=20))
        seen = set()
        connections = [database.engine.connect() for _ in range(20)]
        for connection in connections:
            row = connection.execute(claim_candidate(Pool.TRANSCODER, "alpha")).first()
            assert row is not None, "told that the queue is empty while it is not"
            seen.add(row.id)
        for connection in connections:
            connection.close()

    assert len(seen) == 20
