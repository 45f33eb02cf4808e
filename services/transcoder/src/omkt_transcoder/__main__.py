"""The transcoder daemon: encode and package. Reads settings, checks its ffmpeg, builds, runs."""

from omkt_pipeline.daemon import enter, media_tools, queue_chores, read_settings, run_daemon
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.domain.task import Pool, TaskKind
from omkt_pipeline.media.hardware import hardware_encoders
from omkt_pipeline.queue.inputs import Inputs
from omkt_pipeline.queue.twins import start_again
from omkt_pipeline.settings import DaemonSettings
from omkt_pipeline.worker import Chore
from omkt_transcoder.concat import Concat
from omkt_transcoder.encode import Encode
from omkt_transcoder.measure import Measure
from omkt_transcoder.package import Package

#: How often free workers look for chunks that hold a job up.
_SECOND_STARTS_SECONDS = 5.0
_SECOND_STARTS_RAREST = 3.0


def main() -> None:
    settings = read_settings(DaemonSettings)
    grounds = enter(settings, service="transcoder")
    tools = media_tools(settings)
    inputs = Inputs(grounds.database)
    limits = Limits(stall_seconds=settings.stall_seconds)
    run_daemon(
        grounds,
        settings,
        pool=Pool.TRANSCODER,
        handlers={
            TaskKind.ENCODE: Encode(tools=tools, limits=limits, inputs_of=inputs.inputs_of),
            TaskKind.CONCAT: Concat(tools=tools, limits=limits, parts_of=inputs.parts_of),
            TaskKind.MEASURE: Measure(tools=tools, limits=limits, media_of=inputs.media_of),
            TaskKind.PACKAGE: Package(
                tools=tools, limits=limits, inputs_of=inputs.inputs_of, output_of=inputs.output_of
            ),
        },
        # One ffmpeg rarely fills all cores to its end; a second one takes what is left over.
        slots=max(1, min(settings.cores(), 2 + settings.cores() // 4)),
        threads=settings.cores(),
        chores=[
            *queue_chores(grounds.database, settings),
            Chore(
                name="second starts",
                every_seconds=_SECOND_STARTS_SECONDS,
                run=lambda: start_again(grounds.database, Pool.TRANSCODER),
                rarest=_SECOND_STARTS_RAREST,
            ),
        ],
        facts={"ffmpeg": tools.version, "hardware": dict(hardware_encoders(tools.ffmpeg))},
    )


if __name__ == "__main__":
    main()
