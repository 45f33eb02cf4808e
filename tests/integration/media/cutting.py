"""Films in chunks as short as may be, for two slots; and the frames that their encoders are given."""

import subprocess
from pathlib import Path

from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.domain.capacity import Capacity, ChunkRules
from omkt_pipeline.domain.media import SourceFile
from omkt_pipeline.domain.plan import Plan
from omkt_pipeline.domain.recipe import EncodeVideo, encode_spec, singles
from omkt_pipeline.media.encode_argv import video_source_argv
from omkt_pipeline.planning.plan import plan_job
from omkt_pipeline.presets import shipped

TWO_SLOTS = Capacity(slots=2, hosts=2)
SHORT = ChunkRules(min_seconds=2, target_seconds=2)


def planned(pipeline: Pipeline, path: Path, *presets: str) -> tuple[Plan, Path]:
    """The plan of a file for two slots, in chunks as short as may be; and the file on the share."""
    media = pipeline.store(path)
    facts = pipeline.probe(media)
    wanted = [shipped()[preset] for preset in presets or ("mp4-720p",)]
    plan = plan_job(facts, SourceFile(path=media.path, bytes=media.bytes), wanted, capacity=TWO_SLOTS, rules=SHORT)
    return plan, pipeline.share.root / media.path


def videos(plan: Plan) -> list[EncodeVideo]:
    """The video encodes of a plan."""
    return [
        recipe
        for task in plan.tasks
        if task.key.startswith("video")
        for recipe in singles(encode_spec.validate_python(task.spec))
        if isinstance(recipe, EncodeVideo)
    ]


def frame_hashes(recipe: EncodeVideo, source: Path, pipeline: Pipeline) -> list[str]:
    """A hash of every frame that the encoder of the recipe's first rendition is given, in their order."""
    argv = video_source_argv(recipe, source, tools=pipeline.tools, limits=pipeline.limits, threads=2)
    argv += ["-map", "[v0]", "-r", recipe.rate, "-fps_mode", "cfr", "-c:v", "rawvideo", "-f", "framemd5", "-"]
    for number in range(1, len(recipe.renditions)):
        argv += ["-map", f"[v{number}]", "-f", "null", "/dev/null"]
    argv[argv.index("-progress") : argv.index("-progress") + 2] = []
    shown = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=120).stdout
    lines = [line.split(",") for line in shown.splitlines() if line and not line.startswith("#")]
    assert [int(line[2]) for line in lines] == list(range(len(lines)))
    return [line[5].strip() for line in lines]


def assert_chunks_are_the_whole(plan: Plan, source: Path, pipeline: Pipeline) -> None:
    chunks = videos(plan)
    assert len(chunks) > 1
    whole = frame_hashes(chunks[0].model_copy(update={"chunk": None}), source, pipeline)
    pieces = [frame_hashes(chunk, source, pipeline) for chunk in chunks]

    assert [len(piece) for piece in pieces[:-1]] == [chunk.chunk.frames for chunk in chunks[:-1] if chunk.chunk]
    assert [one for piece in pieces for one in piece] == whole
