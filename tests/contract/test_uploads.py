"""Resumable uploads in the queue: one writer, offsets that its row vouches for, jobs that begin when the file is whole."""

import pytest
from sqlalchemy import update
from tests.contract.looking import job_state

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import task, upload
from omkt_pipeline.db.types import now_plus
from omkt_pipeline.domain.errors import Conflict, LeaseLost, NotFound
from omkt_pipeline.domain.job import JobState, Source, SourceKind
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.audit import audit_rows
from omkt_pipeline.queue.jobs import cancel, retry
from omkt_pipeline.queue.overview import job_by_key
from omkt_pipeline.queue.rescue import promote_aged
from omkt_pipeline.queue.retention import mark_removed, removable_media
from omkt_pipeline.queue.uploads import (
    Hold,
    advance_upload,
    complete_upload,
    create_upload,
    end_upload,
    expire_uploads,
    hold_upload,
    let_go,
    upload_by_key,
)
from omkt_pipeline.testing import a_job, an_account, take, taken


def announced(database: Database, account: int, *, keep_seconds: float = 60) -> str:
    return create_upload(database, account, length=10, name="a", metadata=None, keep_seconds=keep_seconds).key


def held(database: Database, account: int, key: str, *, lease_seconds: float = 60) -> Hold:
    return hold_upload(database, account, key, lease_seconds=lease_seconds)


def advance(database: Database, hold: Hold, received: int) -> None:
    advance_upload(database, hold, received, lease_seconds=60, keep_seconds=60)


def complete(database: Database, hold: Hold) -> None:
    complete_upload(database, hold, path="originals/x/upload/original", sha256="0" * 64)


def waiting_job(database: Database, account: int, key: str) -> str:
    return a_job(database, account, source=Source(kind=SourceKind.UPLOAD, value=key))


def test_one_request_holds_an_upload_until_its_lease_ends(database: Database, account: int) -> None:
    key = announced(database, account)
    first = held(database, account, key)
    with pytest.raises(Conflict, match="Another request"):
        held(database, account, key)
    let_go(database, first)
    second = held(database, account, key, lease_seconds=-1)
    third = held(database, account, key)

    with pytest.raises(LeaseLost):
        advance(database, second, 5)
    with pytest.raises(LeaseLost):
        complete(database, second)
    advance(database, third, 4)
    assert upload_by_key(database, account, key).received == 4


def test_a_job_waits_for_its_upload_and_begins_when_it_is_whole(database: Database, account: int) -> None:
    key = announced(database, account)
    job = waiting_job(database, account, key)
    assert take(database, Pool.METADATA) is None
    assert audit_rows(database) == []

    complete(database, held(database, account, key))

    assert taken(database, Pool.METADATA).job_key == job
    assert upload_by_key(database, account, key).is_whole


def test_who_looks_for_forgotten_tasks_leaves_those_of_running_uploads_alone(database: Database, account: int) -> None:
    key = announced(database, account)
    waiting_job(database, account, key)
    long_ago = update(task).values(run_at=now_plus(-86400))
    database.transact(lambda connection: connection.execute(long_ago))
    promote_aged(database)
    assert take(database, Pool.METADATA) is None


def test_a_job_that_is_tried_again_still_waits(database: Database, account: int) -> None:
    key = announced(database, account)
    job = waiting_job(database, account, key)
    cancel(database, account, job)
    retry(database, account, job)
    assert take(database, Pool.METADATA) is None
    complete(database, held(database, account, key))
    assert taken(database, Pool.METADATA).job_key == job


@pytest.mark.parametrize("by", ["client", "time"])
def test_an_upload_that_ends_early_fails_its_jobs_with_a_reason(database: Database, account: int, by: str) -> None:
    key = announced(database, account, keep_seconds=-1 if by == "time" else 60)
    job = waiting_job(database, account, key)
    hold = held(database, account, key)

    if by == "client":
        end_upload(database, account, key)
    else:
        assert expire_uploads(database) == [key]

    assert job_state(database, job) is JobState.FAILED
    error = job_by_key(database, account, job).error
    assert error is not None
    assert error.code == "upload_unfinished"
    with pytest.raises(LeaseLost):
        advance(database, hold, 1)
    with pytest.raises(NotFound):
        upload_by_key(database, account, key)
    (gone,) = removable_media(database)
    assert gone.media_key == key
    mark_removed(database, gone)


def test_an_upload_that_goes_on_is_not_given_up(database: Database, account: int) -> None:
    key = announced(database, account)
    late = update(upload).values(expires_at=now_plus(-1))
    database.transact(lambda connection: connection.execute(late))
    advance(database, held(database, account, key), 3)
    assert expire_uploads(database) == []


def test_an_upload_is_its_owners_alone(database: Database, account: int) -> None:
    key = announced(database, account)
    other = an_account(database, "other")
    for look in (upload_by_key, end_upload):
        with pytest.raises(NotFound):
            look(database, other, key)
    with pytest.raises(NotFound):
        held(database, other, key)
    with pytest.raises(NotFound):
        waiting_job(database, other, key)
