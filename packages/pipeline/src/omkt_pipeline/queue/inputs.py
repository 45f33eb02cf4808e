"""What a handler must know to do its task, read from the database."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import artifact, job, media, output, task, task_edge
from omkt_pipeline.domain.errors import ResultLost, SourceError
from omkt_pipeline.domain.job import MediaState, OutputState, Variation
from omkt_pipeline.domain.media import MediaFacts, StoredMedia
from omkt_pipeline.domain.recipe import MadeOutput, StagedFolder
from omkt_pipeline.domain.task import Artifact, Task, TaskState
from omkt_pipeline.queue.wanted import wanted


class Inputs:
    """Reads for handlers, bound to the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def media_of(self, held: Task) -> StoredMedia:
        """The media of a task. Raises SourceError (code source_expired) when its original was removed."""
        row = self._database.fetch(
            lambda connection: connection.execute(select(media).where(media.c.id == held.media_id)).one()
        )
        if row.path is None:
            raise SourceError("The original is not on the share any more. Submit it again.", code="source_expired")
        return _stored(row)

    def parts_of(self, held: Task) -> tuple[StoredMedia, ...]:
        """The media that a concat task lays behind each other. Raises SourceError (source_expired) when one is gone."""
        keys = [str(key) for key in held.spec["parts"]]
        question = select(media).where(
            media.c.media_key.in_(keys), media.c.account_id == held.account_id, media.c.state == MediaState.PROBED
        )
        rows = self._database.fetch(lambda connection: connection.execute(question).all())
        found = {row.media_key: _stored(row) for row in rows if row.path is not None}
        if gone := [key for key in keys if key not in found]:
            said = f"The original of {', '.join(gone)} is not on the share any more. Submit it again."
            raise SourceError(said, code="source_expired")
        return tuple(found[key] for key in keys)

    def presets_of(self, held: Task) -> tuple[str | Variation, ...]:
        """The presets that the task's job asks for, and what it changes of some; of a later plan, those that were added."""
        presets = held.spec.get("presets") or self._database.fetch(
            lambda connection: connection.execute(select(job.c.presets).where(job.c.id == held.job_id)).scalar_one()
        )
        return tuple(wanted(one) for one in presets)

    def made_of(self, held: Task) -> Mapping[str, int]:
        """Published outputs of the task's media, the newest row by recipe; none for a job that is repeated whole."""
        if held.spec.get("anew"):
            return {}
        question = (
            select(output.c.id, output.c.recipe)
            .join(job, job.c.id == output.c.job_id)
            .where(job.c.media_id == held.media_id, job.c.account_id == held.account_id)
            .where(output.c.state == OutputState.PUBLISHED, output.c.recipe.is_not(None))
            .order_by(output.c.id)
        )
        rows = self._database.fetch(lambda connection: connection.execute(question).all())
        return {row.recipe: row.id for row in rows}

    def output_of(self, output_id: int) -> MadeOutput:
        """A published output by its row. Raises SourceError (output_gone) when it has expired since it was planned for."""

        def look(connection: Connection) -> MadeOutput | None:
            row = connection.execute(
                select(output).where(output.c.id == output_id, output.c.state == OutputState.PUBLISHED)
            ).first()
            if row is None:
                return None
            files = connection.execute(select(artifact).where(artifact.c.task_id == row.task_id)).all()
            return MadeOutput(
                folder=row.folder,
                entry=row.entry,
                result=row.result or {},
                artifacts=tuple(Artifact(path=one.path, bytes=one.bytes, sha256=one.sha256) for one in files),
            )

        found = self._database.fetch(look)
        if found is None:
            raise SourceError(
                "What was to be delivered once more has expired meanwhile. Submit the job again.", code="output_gone"
            )
        return found

    def inputs_of(self, held: Task) -> Mapping[str, StagedFolder]:
        """What the prerequisites of a task left on the share, by their names in the plan.

        Raises ResultLost for those that another task has sent back meanwhile, because what they had left is gone.
        """

        def look(connection: Connection) -> dict[str, StagedFolder]:
            prerequisites = connection.execute(
                select(task.c.id, task.c.plan_key, task.c.folder, task.c.facts, task.c.state)
                .join(task_edge, task_edge.c.needs_id == task.c.id)
                .where(task_edge.c.task_id == held.id)
            ).all()
            if open_again := [row.plan_key for row in prerequisites if row.state != TaskState.DONE]:
                raise ResultLost(open_again, under_way=True)
            files = connection.execute(
                select(artifact)
                .where(artifact.c.task_id.in_([row.id for row in prerequisites]))
                .order_by(artifact.c.task_id, artifact.c.path)
            ).all()
            return {
                row.plan_key: StagedFolder(
                    folder=row.folder,
                    artifacts=tuple(
                        Artifact(path=file.path, bytes=file.bytes, sha256=file.sha256)
                        for file in files
                        if file.task_id == row.id
                    ),
                    facts=row.facts or {},
                )
                for row in prerequisites
            }

        return self._database.fetch(look)


def _stored(row: Any) -> StoredMedia:
    return StoredMedia(
        key=row.media_key,
        path=row.path,
        bytes=row.bytes or 0,
        sha256=row.sha256,
        facts=MediaFacts.model_validate(row.facts) if row.facts else None,
    )
