"""Retention: a row says that something is gone before it goes."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from tests.contract.looking import count, job_state

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import idempotency
from omkt_pipeline.db.types import now_plus
from omkt_pipeline.domain.errors import NotFound
from omkt_pipeline.domain.job import JobState, OutputState, Source, SourceKind
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.jobs import cancel, store_upload
from omkt_pipeline.queue.media import keep_media
from omkt_pipeline.queue.overview import job_by_key, published_output
from omkt_pipeline.queue.retention import (
    expire_jobs,
    expire_media,
    forget_requests,
    mark_removed,
    mark_swept,
    sweepable,
)
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.queue.sources import NewMedia
from omkt_pipeline.testing import a_job, a_plan, a_planned_job, a_settlement, taken


def a_finished_job(database: Database, account: int) -> str:
    key = a_planned_job(database, account, a_plan(encodes=1))
    for _ in range(2):
        held = taken(database, Pool.TRANSCODER)
        settle(database, held, a_settlement(held))
    return key


def test_a_job_that_succeeded_is_swept_once_but_for_its_results(database: Database, account: int) -> None:
    key = a_finished_job(database, account)

    (ended,) = sweepable(database)
    assert ended.job_key == key
    assert ended.kept == (published_output(database, key, "film").folder,)
    mark_swept(database, ended)

    assert sweepable(database) == []


@pytest.mark.parametrize("seconds", [3600.0, -1.0])
def test_results_expire_when_they_are_old_enough(database: Database, account: int, seconds: float) -> None:
    key = a_finished_job(database, account)

    expired = expire_jobs(database, state=JobState.SUCCEEDED, after_seconds=seconds)

    assert expired == (seconds < 0)
    assert (job_state(database, key) is JobState.EXPIRED) == (seconds < 0)


def test_what_expired_is_not_served_and_is_swept_whole(database: Database, account: int) -> None:
    key = a_finished_job(database, account)
    for ended in sweepable(database):
        mark_swept(database, ended)

    expire_jobs(database, state=JobState.SUCCEEDED, after_seconds=-1)

    assert [ended.kept for ended in sweepable(database)] == [()]
    assert {one.state for one in job_by_key(database, account, key).outputs} == {OutputState.EXPIRED}
    with pytest.raises(NotFound):
        published_output(database, key, "film")


def test_a_cancelled_job_is_not_swept_while_its_worker_is_still_at_it(database: Database, account: int) -> None:
    key = a_planned_job(database, account, a_plan(encodes=1))
    taken(database, Pool.TRANSCODER)
    cancel(database, account, key)

    expire_jobs(database, state=JobState.CANCELLED, after_seconds=-1)

    assert job_state(database, key) is JobState.EXPIRED
    assert sweepable(database) == []


def test_an_original_goes_when_no_job_needs_it(database: Database, account: int) -> None:
    store_upload(database, account, "upload-1", NewMedia(path="originals/upload-1/a/original", bytes=4))

    assert expire_media(database, after_seconds=3600) == []
    (gone,) = expire_media(database, after_seconds=-5)
    assert gone.media_key == "upload-1"
    assert expire_media(database, after_seconds=-5) == [gone]  # until somebody says that the file is removed
    mark_removed(database, gone)
    assert expire_media(database, after_seconds=-5) == []


def test_an_original_stays_while_a_job_is_open(database: Database, account: int) -> None:
    a_job(database, account)
    fetched = taken(database, Pool.COURIER)
    settle(database, fetched, a_settlement(fetched))

    assert expire_media(database, after_seconds=-5) == []


def kept(database: Database, account: int, seconds: float | None, *, key: str = "u1") -> str:
    """A media that is kept for so many seconds, or by the farm's rule; its key."""
    store_upload(database, account, key, NewMedia(path=f"originals/{key}/a/original", bytes=4))
    moment = None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)
    keep_media(database, account, key, moment)
    return key


def test_an_original_stays_as_long_as_its_owner_says(database: Database, account: int) -> None:
    key = kept(database, account, 3600)

    assert expire_media(database, after_seconds=-5) == []
    keep_media(database, account, key, None)
    assert [one.media_key for one in expire_media(database, after_seconds=-5)] == [key]
    with pytest.raises(NotFound):
        keep_media(database, account, key, None)


def test_and_no_longer(database: Database, account: int) -> None:
    key = kept(database, account, -3600)
    kept(database, account, None, key="u2")

    assert [one.media_key for one in expire_media(database, after_seconds=3600)] == [key]


def test_but_not_while_a_job_is_open(database: Database, account: int) -> None:
    key = kept(database, account, -3600)
    a_job(database, account, source=Source(kind=SourceKind.MEDIA, value=key))

    assert expire_media(database, after_seconds=3600) == []


def test_the_media_of_others_are_not_mine_to_keep(database: Database, account: int) -> None:
    key = kept(database, account, 3600)

    with pytest.raises(NotFound):
        keep_media(database, account + 1, key, None)


def test_what_the_operator_put_there_is_never_removed(database: Database, account: int) -> None:
    cancel(database, account, a_job(database, account, path="incoming/film.mov"))

    assert expire_media(database, after_seconds=-5) == []


def test_idempotency_keys_are_forgotten_after_two_days(database: Database, account: int) -> None:
    a_job(database, account, idempotency_key="old")
    a_job(database, account, idempotency_key="new")
    old = update(idempotency).where(idempotency.c.request_key == "old").values(created_at=now_plus(-3 * 86400))
    database.transact(lambda connection: connection.execute(old))

    assert forget_requests(database) == 1
    assert count(database, idempotency) == 1
