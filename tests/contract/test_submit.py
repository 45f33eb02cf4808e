"""Submitting: all or nothing, and once for each Idempotency-Key."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from tests.contract.looking import count, task_states

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import idempotency, job, media, task
from omkt_pipeline.domain.errors import Conflict, NotFound
from omkt_pipeline.domain.job import Callback, JobState, Priority, Source, SourceKind, Variation
from omkt_pipeline.domain.task import TaskState
from omkt_pipeline.queue.jobs import Submitted, store_upload, submit
from omkt_pipeline.queue.overview import job_by_key, jobs_page
from omkt_pipeline.queue.retention import expire_media
from omkt_pipeline.queue.sources import NewMedia
from omkt_pipeline.testing import a_job, a_request, an_account


def test_a_request_becomes_media_job_and_first_tasks(database: Database, account: int) -> None:
    key = a_job(database, account, client_data="mine")

    view = job_by_key(database, account, key)
    assert (view.state, view.progress, view.client_data) == (JobState.QUEUED, 0.0, "mine")
    assert task_states(database, key) == {
        "fetch": TaskState.READY,
        "probe": TaskState.WAITING,
        "plan": TaskState.WAITING,
    }


def test_what_lies_on_the_share_is_not_fetched(database: Database, account: int) -> None:
    key = a_job(database, account, path="incoming/film.mov")

    assert task_states(database, key) == {"probe": TaskState.READY, "plan": TaskState.WAITING}


REQUESTS = (
    {},
    {"source": Source(kind=SourceKind.PATH, value="film.mov"), "callback": None},
    {"tags": ("a", "b"), "client_data": "\u00e4 \U0001f3ac", "priority": Priority.HIGH},
    {"callback": Callback(url="https://example.com/hook", types=("job.succeeded", "output.published"))},
    {"not_before": datetime(2031, 1, 2, 3, 4, 5, 678901, timezone(timedelta(hours=5, minutes=30)))},
    {"deadline": datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)},
    {"presets": ("hls-h264", Variation(id="small", preset="mp4-720p", settings={"height": 240})), "first": "small"},
    {"presets": ()},
)


@pytest.mark.parametrize("changes", REQUESTS)
def test_a_new_job_is_shown_as_it_is_stored(database: Database, account: int, changes: dict[str, Any]) -> None:
    request = a_request(**changes)
    found = NewMedia(name="film.mov", path="incoming/film.mov", bytes=7)

    made = submit(database, account, request, found if request.source.kind is SourceKind.PATH else NewMedia())

    assert made.view == job_by_key(database, account, made.job_key)


def test_a_new_job_of_a_known_media_shows_what_is_known_of_it(database: Database, account: int) -> None:
    store_upload(database, account, "u" * 26, NewMedia(name="film.mov", path="originals/film.mov", bytes=7))
    for kind in (SourceKind.UPLOAD, SourceKind.MEDIA):
        made = submit(database, account, a_request(source=Source(kind=kind, value="u" * 26)), NewMedia())

        assert made.view == job_by_key(database, account, made.job_key)
        assert made.view is not None
        assert (made.view.media or {})["bytes"] == 7


def test_the_same_key_from_twenty_threads_makes_one_job(database: Database, account: int) -> None:
    together = threading.Barrier(20)
    request = a_request(idempotency_key="once", fingerprint="f" * 64)

    def ask() -> Submitted:
        together.wait()
        return submit(database, account, request, NewMedia())

    with ThreadPoolExecutor(20) as threads:
        answers = [future.result() for future in [threads.submit(ask) for _ in range(20)]]

    assert len({answer.job_key for answer in answers}) == 1
    assert [answer.replayed for answer in answers].count(False) == 1
    assert (count(database, job), count(database, media), count(database, idempotency)) == (1, 1, 1)
    assert count(database, task) == 3


def test_a_key_that_was_used_for_another_request_is_refused(database: Database, account: int) -> None:
    submit(database, account, a_request(idempotency_key="k", fingerprint="a"), NewMedia())

    with pytest.raises(Conflict) as refused:
        submit(database, account, a_request(idempotency_key="k", fingerprint="b"), NewMedia())

    assert refused.value.code == "idempotency_mismatch"
    assert count(database, job) == 1


def test_accounts_do_not_share_keys_and_case_counts(database: Database, account: int) -> None:
    other = an_account(database, "other")
    made = [
        submit(database, asker, a_request(idempotency_key=key), NewMedia())
        for asker, key in ((account, "k"), (other, "k"), (account, "K"))
    ]

    assert [one.replayed for one in made] == [False] * 3


def test_an_upload_is_used_by_its_account_alone(database: Database, account: int) -> None:
    store_upload(database, account, "upload-1", NewMedia(path="originals/upload-1/a/original", bytes=4))
    uploaded = a_request(source=Source(kind=SourceKind.UPLOAD, value="upload-1"))

    key = submit(database, account, uploaded, NewMedia()).job_key

    assert set(task_states(database, key)) == {"probe", "plan"}
    with pytest.raises(NotFound) as refused:
        submit(database, an_account(database, "other"), uploaded, NewMedia())
    assert refused.value.code == "upload_unknown"


def test_an_expired_upload_is_refused(database: Database, account: int) -> None:
    store_upload(database, account, "upload-1", NewMedia(path="originals/upload-1/a/original", bytes=4))
    assert len(expire_media(database, after_seconds=-5)) == 1

    with pytest.raises(NotFound):
        submit(database, account, a_request(source=Source(kind=SourceKind.UPLOAD, value="upload-1")), NewMedia())


def test_pages_of_jobs_are_whole_and_stable_while_new_ones_arrive(database: Database, account: int) -> None:
    keys = [a_job(database, account) for _ in range(5)]
    a_job(database, an_account(database, "other"))
    first = jobs_page(database, account, limit=2)
    a_job(database, account)
    second = jobs_page(database, account, limit=2, before=first.next_before)
    third = jobs_page(database, account, limit=2, before=second.next_before)

    seen = [view.key for page in (first, second, third) for view in page.jobs]
    assert seen == keys[::-1]
    assert third.next_before is None
    assert len(jobs_page(database, account, limit=9, state=JobState.QUEUED).jobs) == 6
    assert jobs_page(database, account, limit=9, state=JobState.FAILED).jobs == []


def test_a_job_is_not_shown_to_another_account(database: Database, account: int) -> None:
    key = a_job(database, account)

    with pytest.raises(NotFound):
        job_by_key(database, an_account(database, "other"), key)
