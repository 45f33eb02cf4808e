"""Files that were made to do harm, other ones for each seed: each ends with an answer, in little memory, and is not tried again.

What went wrong can be made again from the name of the file.
"""

import re
import resource
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.media.conftest import REPOSITORY
from tests.integration.media.hostile import Hostile, bombs, fuzzed
from tests.integration.media.pipeline import Pipeline

from omkt_pipeline.domain.errors import OmktError
from omkt_pipeline.domain.limits import Limits
from omkt_pipeline.media.tools import Tools

#: Shorter than a farm's, so that a hang is seen as one: it ends as tool_timeout or tool_stalled, which is tried again.
LIMITS = Limits(probe_seconds=20, stall_seconds=20)
MEMORY_BYTES = 1 << 30
DOCUMENTED = set(re.findall(r"`([a-z_]+)`", (REPOSITORY / "docs" / "errors.md").read_text()))
SEEDS = {
    "seed.mp4": "-f lavfi -i testsrc2=d=1:r=10:s=96x64 -f lavfi -i sine=d=1 -c:v libx264 -c:a aac -shortest",
    "seed.mkv": "-f lavfi -i testsrc2=d=1:r=10:s=96x64 -f lavfi -i sine=d=1 -c:v libx264 -c:a aac -shortest",
    "seed.ts": "-f lavfi -i testsrc2=d=1:r=10:s=96x64 -c:v mpeg2video -f mpegts",
    "seed.avi": "-f lavfi -i testsrc2=d=1:r=10:s=96x64 -c:v mpeg4",
    "seed.flv": "-f lavfi -i testsrc2=d=1:r=10:s=96x64 -c:v flv1 -f flv",
    "seed.flac": "-f lavfi -i sine=d=1 -c:a flac",
    "seed.wav": "-f lavfi -i sine=d=1",
    "seed.gif": "-f lavfi -i testsrc2=d=1:r=5:s=64x64",
}


def refusal_of(pipeline: Pipeline, source: Path) -> OmktError | None:
    try:
        pipeline.run(source, ["mp4-720p"])
    except OmktError as error:
        return error
    return None


def ends_well(hostile: Hostile, tools: Tools) -> None:
    """It is delivered, or refused for good with a code that the manual knows and a sentence."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    with TemporaryDirectory() as folder:
        source = Path(folder) / hostile.name
        source.write_bytes(hostile.content)
        error = refusal_of(Pipeline(Path(folder) / "farm", tools, LIMITS), source)
    if error is not None:
        assert not error.retryable, f"{hostile.name}: {error.code}: {error.message}"
        assert error.code in DOCUMENTED
        assert error.message.endswith(".")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 <= max(before, MEMORY_BYTES)


@pytest.mark.parametrize("bomb", list(bombs()), ids=lambda bomb: bomb.name)
def test_a_bomb_does_not_go_off(bomb: Hostile, each_build: Tools) -> None:
    ends_well(bomb, each_build)


@pytest.mark.parametrize("name", SEEDS)
def test_a_film_with_damaged_headers_ends_well(name: str, tools: Tools, clip: Callable[..., Path]) -> None:
    whole = clip(name, SEEDS[name]).read_bytes()

    @settings(max_examples=6, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(min_value=0, max_value=1 << 32))
    def each(seed: int) -> None:
        ends_well(fuzzed(whole, name, seed), tools)

    each()
