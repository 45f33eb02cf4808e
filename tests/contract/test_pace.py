"""What a running job says of its pace: frames, speed and how long it will take."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import job, media, task
from omkt_pipeline.db.types import now_plus
from omkt_pipeline.domain.task import Pool
from omkt_pipeline.queue.jobs import cancel
from omkt_pipeline.queue.overview import job_by_key
from omkt_pipeline.testing import a_plan, a_planned_job, taken

FACTS = {"duration": 100.0, "video": [{"counted_frames": 2500}]}


def change(database: Database, statement: Any) -> None:
    database.transact(lambda connection: connection.execute(statement) and None)


@pytest.fixture
def key(database: Database, account: int) -> str:
    """A film of 100 s, planned 20 s ago, of whose two encodes one is half done."""
    key = a_planned_job(database, account, a_plan(encodes=2))
    held = taken(database, Pool.TRANSCODER)
    change(database, update(media).values(facts=FACTS))
    change(database, update(task).values(created_at=now_plus(-20.0)))
    change(database, update(task).where(task.c.id == held.id).values(progress=0.5))
    change(database, update(job).values(started_at=now_plus(-30.0)))
    return key


def test_it_is_reckoned_from_what_the_encodes_report(database: Database, account: int, key: str) -> None:
    pace = job_by_key(database, account, key).pace

    assert pace is not None
    assert pace.frames == 625
    assert pace.speed == pytest.approx(1.25, rel=0.1)
    view = job_by_key(database, account, key)
    assert pace.seconds_left == pytest.approx(30 * (1 - view.progress) / view.progress, rel=0.1)


def test_nothing_is_said_before_enough_is_done(database: Database, account: int, key: str) -> None:
    change(database, update(task).values(progress=0.0))

    pace = job_by_key(database, account, key).pace

    assert pace is not None
    assert (pace.frames, pace.speed) == (0, None)


def test_a_job_that_has_ended_has_no_pace(database: Database, account: int, key: str) -> None:
    cancel(database, account, key)

    assert job_by_key(database, account, key).pace is None


def test_time_alone_is_no_change_of_a_job(database: Database, account: int, key: str) -> None:
    view = job_by_key(database, account, key)

    assert view.pace is not None
    assert replace(view, pace=None) == view
