"""An output that exists is delivered once more: same files, nothing encoded, and it outlives the first."""

import shutil
from pathlib import Path

from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.domain.effects import Published
from omkt_pipeline.domain.recipe import MadeOutput
from omkt_pipeline.domain.task import Artifact
from omkt_pipeline.planning.repeats import again
from omkt_pipeline.presets import shipped
from omkt_pipeline.storage.share import sha256_of


def test_an_output_that_exists_gets_a_second_name(pipeline: Pipeline, film: Path) -> None:
    delivered = pipeline.run(film, ["hls-h264"])
    first = delivered.folders["hls-h264"]
    before = {path.relative_to(first).as_posix(): path for path in first.rglob("*") if path.is_file()}
    pipeline.existing[7] = MadeOutput(
        folder=first.relative_to(pipeline.share.root).as_posix(),
        entry="master.m3u8",
        result=delivered.results["hls-h264"],
        artifacts=tuple(
            Artifact(path=name, bytes=path.stat().st_size, sha256=sha256_of(path)) for name, path in before.items()
        ),
    )

    settled = pipeline.package(again(shipped()["hls-h264"], 7), {})

    assert settled.folder is not None
    second = pipeline.share.path(settled.folder)
    assert all((second / name).samefile(path) for name, path in before.items())
    assert settled.effect == Published(output="hls-h264", entry="master.m3u8", result=delivered.results["hls-h264"])
    assert {one.path for one in settled.artifacts} == before.keys()
    shutil.rmtree(first)
    assert {path.relative_to(second).as_posix() for path in second.rglob("*") if path.is_file()} == before.keys()
