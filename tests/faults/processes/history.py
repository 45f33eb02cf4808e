"""What anybody could see of a farm while a test went on: sampled all the time, and never wrong at any moment."""

from sqlalchemy import Connection, select

from omkt_pipeline.db.engine import Database
from omkt_pipeline.db.tables import artifact, output, task
from omkt_pipeline.domain.job import OutputState
from omkt_pipeline.storage.share import Share, sha256_of


class History:
    """Watches what is published: once decided it stays, and its files are whole."""

    def __init__(self, database: Database, share: Share) -> None:
        self._database, self._share = database, share
        self.published: dict[int, int] = {}  #: the attempt that was published, by task

    def look(self) -> None:
        """Look once. Fails when a decision changed, or when a file that a row promises is not what the row says."""

        def see(connection: Connection) -> tuple[dict[int, int], list[tuple[str, str, int, str]]]:
            decided = select(task.c.id, task.c.published_attempt).where(task.c.published_attempt.is_not(None))
            visible = (
                select(output.c.folder, artifact.c.path, artifact.c.bytes, artifact.c.sha256)
                .join(artifact, artifact.c.task_id == output.c.task_id)
                .where(output.c.state == OutputState.PUBLISHED)
            )
            return (
                {row.id: row.published_attempt for row in connection.execute(decided)},
                [(row.folder, row.path, row.bytes, row.sha256) for row in connection.execute(visible)],
            )

        decided, visible = self._database.fetch(see)
        changed = {number for number, attempt in self.published.items() if decided.get(number) != attempt}
        assert not changed, f"another attempt became visible: tasks {changed}"
        self.published = decided
        for folder, name, size, digest in visible:
            path = self._share.root / folder / name
            assert (path.stat().st_size, sha256_of(path)) == (size, digest), f"{path} is not what its row says"
