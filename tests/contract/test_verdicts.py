"""What a worker says of a source counts only where the share is the share."""

from pathlib import Path

import pytest
from tests.contract.looking import task_row, task_state

from omkt_pipeline.db.engine import Database
from omkt_pipeline.domain.effects import Settlement
from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.task import AttemptOutcome, Pool, TaskState
from omkt_pipeline.storage import layout
from omkt_pipeline.storage.share import Share
from omkt_pipeline.testing import a_job, taken
from omkt_pipeline.worker import TaskContext
from omkt_pipeline.worker.attempt import Attempt, Surroundings, run


@pytest.mark.parametrize("mounted", [True, False])
def test_a_source_is_given_up_for_good_only_while_the_share_is_there(
    database: Database, account: int, tmp_path: Path, mounted: bool
) -> None:
    """With an empty folder in the place of the share every source is missing, and a film that is being read breaks off."""
    share = Share.create(tmp_path / "share", farm_id="f")
    a_job(database, account)
    held = taken(database, Pool.COURIER)

    def handler(_: TaskContext) -> Settlement:
        if not mounted:
            (share.root / layout.SENTINEL).unlink()
        raise SourceError("The source is no longer there.", code="source_missing")

    around = Surroundings(database=database, share=share, scratch=tmp_path / "scratch", host="alpha", backoff_seconds=1)
    assert run(Attempt(task=held), handler, around) is AttemptOutcome.FAILED

    if mounted:
        assert (task_state(database, held), task_row(database, held.id).reason) == (
            TaskState.FAILED,
            "source_missing",
        )
    else:
        assert task_state(database, held) in (TaskState.DELAYED, TaskState.READY)
