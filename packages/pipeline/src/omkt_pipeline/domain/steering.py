"""What an operator changes of a farm while it runs, over what its services were started with."""

from omkt_pipeline.domain.capacity import ChunkRules
from omkt_pipeline.domain.plan import Value


class Steering(Value):
    """Settings of services by their names; None: as the service was started."""

    keep_originals_days: float | None = None
    keep_results_days: float | None = None
    keep_failed_days: float | None = None
    chunk_min_seconds: float | None = None
    chunk_target_seconds: float | None = None

    def days(self, name: str, started_with: float) -> float:
        """How long something is kept."""
        wanted: float | None = getattr(self, name)
        return started_with if wanted is None else wanted

    def chunks(self, started_with: ChunkRules) -> ChunkRules:
        """How films are cut."""
        least, usual = self.chunk_min_seconds, self.chunk_target_seconds
        return ChunkRules(
            min_seconds=started_with.min_seconds if least is None else least,
            target_seconds=started_with.target_seconds if usual is None else usual,
        )
