"""Several media laid behind each other are a media of their own: made first, then probed and planned as any other."""

import pytest
from sqlalchemy import update
from tests.contract.looking import job_state, task_states

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import media
from omkt_pipeline.domain.errors import Conflict, NotFound, SourceError
from omkt_pipeline.domain.job import JobState, MediaState, Source, SourceKind
from omkt_pipeline.domain.media import MediaFacts
from omkt_pipeline.domain.task import Pool, TaskKind, TaskState
from omkt_pipeline.queue.audit import audit_rows
from omkt_pipeline.queue.inputs import Inputs
from omkt_pipeline.queue.jobs import submit
from omkt_pipeline.queue.media import delete_media, media_by_key
from omkt_pipeline.queue.overview import job_by_key
from omkt_pipeline.queue.settle import settle
from omkt_pipeline.queue.sources import NewMedia
from omkt_pipeline.testing import a_job, a_planned_job, a_request, a_settlement, an_account, take, taken


def of_parts(database: Database, account: int, *keys: str) -> str:
    source = Source(kind=SourceKind.CONCAT, value=",".join(keys))
    return submit(database, account, a_request(source=source), NewMedia()).job_key


def a_part(database: Database, account: int) -> str:
    """A media that is probed, and its job done."""
    view = job_by_key(database, account, a_planned_job(database, account))
    while (held := take(database, Pool.TRANSCODER)) is not None:
        settle(database, held, a_settlement(held))
    assert view.media is not None
    key = str(view.media["key"])
    facts = MediaFacts(container="mov", duration=60.0).model_dump(mode="json")
    known = update(media).where(media.c.media_key == key).values(facts=facts)
    database.transact(lambda connection: connection.execute(known).rowcount)
    return key


def test_parts_are_laid_together_before_anything_else(database: Database, account: int) -> None:
    one, two = a_part(database, account), a_part(database, account)
    key = of_parts(database, account, one, two, one)
    assert task_states(database, key) == {
        "concat": TaskState.READY, "probe": TaskState.WAITING, "plan": TaskState.WAITING,
    }  # fmt: skip

    held = taken(database, Pool.TRANSCODER)
    assert held.kind is TaskKind.CONCAT
    assert job_state(database, key) is JobState.RUNNING
    assert [part.key for part in Inputs(database).parts_of(held)] == [one, two, one]
    settle(database, held, a_settlement(held))

    assert taken(database, Pool.METADATA).kind is TaskKind.PROBE
    whole = job_by_key(database, account, key).media
    assert whole is not None
    assert media_by_key(database, account, str(whole["key"])).state is MediaState.STORED
    assert audit_rows(database) == []


def test_a_part_must_be_there_and_known(database: Database, account: int) -> None:
    known = a_part(database, account)
    with pytest.raises(NotFound, match="no such media"):
        of_parts(database, account, known, "nobody")
    unprobed = job_by_key(database, account, a_job(database, account, path="film.mov")).media
    assert unprobed is not None
    with pytest.raises(Conflict) as caught:
        of_parts(database, account, known, str(unprobed["key"]))
    assert caught.value.code == "media_not_ready"


def test_a_part_of_somebody_else_is_not_there(database: Database, account: int) -> None:
    mine, theirs = a_part(database, account), a_part(database, an_account(database, "other"))
    with pytest.raises(NotFound):
        of_parts(database, account, mine, theirs)


def test_a_part_that_is_deleted_meanwhile_is_missed(database: Database, account: int) -> None:
    one, two = a_part(database, account), a_part(database, account)
    of_parts(database, account, one, two)
    delete_media(database, account, two)
    held = taken(database, Pool.TRANSCODER)

    with pytest.raises(SourceError) as caught:
        Inputs(database).parts_of(held)
    assert caught.value.code == "source_expired"
    assert two in caught.value.message
