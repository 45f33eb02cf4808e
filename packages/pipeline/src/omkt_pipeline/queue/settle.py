"""Settle: one transaction ends an attempt, writes what it found and makes the next tasks ready.

The first statement of `settle` is the commit point of the whole system: it decides which attempt is visible.
"""

from sqlalchemy import Connection, insert, update

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import artifact, task
from omkt_pipeline.db.types import now
from omkt_pipeline.domain.effects import Encoded, Settlement
from omkt_pipeline.domain.task import AttemptOutcome, Task, TaskKind, TaskState
from omkt_pipeline.queue.dependencies import release_dependents
from omkt_pipeline.queue.effects import apply
from omkt_pipeline.queue.guard import NO_LEASE, end_attempt, leased, settled_before, why_not
from omkt_pipeline.queue.twins import outrun_twin


def settle(database: Database, held: Task, settlement: Settlement) -> None:
    """running -> done. Raises LeaseLost when the task is no longer ours, Stopped when it was cancelled meanwhile.

    Repeating it is no error: whoever did not hear the answer asks again, and must not take the files of a settled
    attempt for those of a lost one.
    """

    def write(connection: Connection) -> bool:
        facts = dict(settlement.effect.facts) if isinstance(settlement.effect, Encoded) else None
        matched = connection.execute(
            update(task)
            .where(leased(held), task.c.cancel_requested.is_(False))
            .values(
                state=TaskState.DONE,
                published_attempt=held.attempt,
                folder=settlement.folder,
                facts=facts,
                progress=1.0,
                finished_at=now(),
                **NO_LEASE,
            )
        ).rowcount
        if matched != 1:
            if settled_before(connection, held):
                return True
            raise why_not(connection, held)
        end_attempt(connection, held.id, held.attempt, AttemptOutcome.OK)
        if settlement.artifacts:
            connection.execute(
                insert(artifact),
                [
                    {
                        "task_id": held.id,
                        "attempt": held.attempt,
                        "path": file.path,
                        "bytes": file.bytes,
                        "sha256": file.sha256,
                    }
                    for file in settlement.artifacts
                ],
            )
        if held.kind is TaskKind.ENCODE:
            outrun_twin(connection, held)
        release_dependents(connection, held.id)
        apply(connection, held, settlement)
        return True

    database.transact(write)
