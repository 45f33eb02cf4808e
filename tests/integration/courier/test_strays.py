"""Strays: what no row leads to goes when it is old; what a row leads to, or is young, stays."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from omkt_api.strays import Strays
from omkt_pipeline.db import migrate
from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.farm import found_farm
from omkt_pipeline.queue.jobs import store_upload
from omkt_pipeline.queue.overview import published_output
from omkt_pipeline.queue.retention import mark_swept, sweepable
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.queue.sources import NewMedia
from omkt_pipeline.storage.share import Share
from omkt_pipeline.testing import a_plan, a_planned_job, a_settlement, an_account, taken

LONG_AGO = 1_000_000_000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path}/farm.db")
    migrate.upgrade(made)
    yield made
    made.close()


@pytest.fixture
def share(tmp_path: Path, database: Database) -> Share:
    return Share.create(tmp_path / "share", farm_id=found_farm(database).id)


def put(share: Share, relative: str, *, old: bool = True) -> Path:
    path = share.root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"film")
    if old:
        for one in (path, *path.parents):
            if one.is_relative_to(share.root):
                os.utime(one, (LONG_AGO, LONG_AGO))
    return path


def search(database: Database, share: Share) -> None:
    """One whole walk: three rooms, each a batch."""
    strays = Strays(database, share)
    for _ in range(4):
        strays.work_once()


def test_what_a_killed_upload_left_goes_when_it_is_old(database: Database, share: Share) -> None:
    old = put(share, "originals/nobodys/upload.part/original")
    young = put(share, "originals/somebodys/upload.part/original", old=False)
    search(database, share)
    assert not old.parent.parent.exists()
    assert young.exists()


def test_an_original_with_a_row_stays_and_what_a_dead_attempt_left_beside_it_goes(
    database: Database, share: Share
) -> None:
    store_upload(database, an_account(database), "m1", NewMedia(path="originals/m1/upload/original", bytes=4))
    kept = put(share, "originals/m1/upload/original")
    part = put(share, "originals/m1/a1-00000000.part/original")
    search(database, share)
    assert kept.exists()
    assert not part.parent.exists()


def test_an_attempt_that_wrote_after_its_job_was_swept_is_found(database: Database, share: Share) -> None:
    key = a_planned_job(database, an_account(database), a_plan(encodes=1))
    before = put(share, f"staging/{key}/1/a1-00000000/part.mp4")
    search(database, share)
    assert before.exists(), "the job is open: what lies there is work"

    for folder in (f"staging/{key}/1/a1-00000000", f"results/{key}/film/a1-00000000"):
        held = taken(database, Pool.TRANSCODER)
        settle(database, held, replace(a_settlement(held), folder=folder))
    (ended,) = sweepable(database)
    mark_swept(database, ended)
    published = put(share, f"{published_output(database, key, 'film').folder}/film.mp4")
    late = put(share, f"results/{key}/film/a9-ffffffff/film.mp4")
    search(database, share)

    assert not (share.root / "staging" / key).exists()
    assert not late.exists()
    assert published.exists()
