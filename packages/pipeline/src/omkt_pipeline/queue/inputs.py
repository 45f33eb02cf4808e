"""What a handler must know to do its task, read from the database."""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import artifact, job, media, task, task_edge
from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.job import Variation
from omkt_pipeline.domain.media import MediaFacts, StoredMedia
from omkt_pipeline.domain.recipe import StagedFolder
from omkt_pipeline.domain.task import Artifact, Task


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
        return StoredMedia(
            key=row.media_key,
            path=row.path,
            bytes=row.bytes or 0,
            sha256=row.sha256,
            facts=MediaFacts.model_validate(row.facts) if row.facts else None,
        )

    def presets_of(self, held: Task) -> tuple[str | Variation, ...]:
        """The presets that the task's job asks for, and what it changes of some."""
        presets = self._database.fetch(
            lambda connection: connection.execute(select(job.c.presets).where(job.c.id == held.job_id)).scalar_one()
        )
        return tuple(one if isinstance(one, str) else Variation.model_validate(one) for one in presets)

    def inputs_of(self, held: Task) -> Mapping[str, StagedFolder]:
        """What the prerequisites of a task left on the share, by their names in the plan."""

        def look(connection: Connection) -> dict[str, StagedFolder]:
            prerequisites = connection.execute(
                select(task.c.id, task.c.plan_key, task.c.folder, task.c.facts)
                .join(task_edge, task_edge.c.needs_id == task.c.id)
                .where(task_edge.c.task_id == held.id)
            ).all()
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
