"""The metadata daemon: probe and plan. Reads settings, builds, runs."""

from omkt_metadata.extract import Extract
from omkt_metadata.plan import Plan
from omkt_metadata.probe import Probe
from omkt_pipeline import presets
from omkt_pipeline.daemon import enter, media_tools, read_settings, run_daemon
from omkt_pipeline.domain.capacity import ChunkRules
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.task import Pool, TaskKind
from omkt_pipeline.queue.capacity import CHUNK_SECONDS, capacity
from omkt_pipeline.queue.inputs import Inputs
from omkt_pipeline.queue.maintenance import steering
from omkt_pipeline.queue.presets import KnownPresets
from omkt_pipeline.settings import MetadataSettings


def main() -> None:
    settings = read_settings(MetadataSettings)
    grounds = enter(settings, service="metadata")
    tools = media_tools(settings)
    inputs = Inputs(grounds.database)
    own = ChunkRules(min_seconds=settings.chunk_min_seconds, target_seconds=settings.chunk_target_seconds)
    run_daemon(
        grounds,
        settings,
        pool=Pool.METADATA,
        handlers={
            TaskKind.PROBE: Probe(tools=tools, limits=Limits(), media_of=inputs.media_of),
            TaskKind.EXTRACT: Extract(tools=tools, limits=Limits()),
            TaskKind.PLAN: Plan(
                presets=KnownPresets(grounds.database, presets.shipped()),
                media_of=inputs.media_of,
                presets_of=inputs.presets_of,
                made_of=inputs.made_of,
                inputs_of=inputs.inputs_of,
                capacity=lambda: capacity(grounds.database, Pool.TRANSCODER),
                rules=lambda: steering(grounds.database).chunks(own),
                tools=tools,
            ),
        },
        slots=settings.cores(),
        facts={"ffmpeg": tools.version, CHUNK_SECONDS: [settings.chunk_min_seconds, settings.chunk_target_seconds]},
    )


if __name__ == "__main__":
    main()
