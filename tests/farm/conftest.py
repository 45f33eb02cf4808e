"""One farm for the tier, and films for it. The guests' disk is kept under var/farm/cache."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from omkt_pipeline.media.tools import find_tools
from tests.farm import images
from tests.farm.farm import ROOT, UP, Farm
from tests.farm.lab.lab import Lab, remove

#: Guests share two cores with everything else; nothing here is measured in seconds.
_LIMIT_SECONDS = 2400
_FOLDER = ROOT / "var" / "farm" / "test"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(_LIMIT_SECONDS))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each fault happens at a moment and to a host that its seed decides."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", [int(seed) for seed in os.environ.get("OMKT_FARM_SEEDS", "1").split(",")])


@pytest.fixture
def chance(seed: int, request: pytest.FixtureRequest) -> Random:
    """What a seed decides, differently for each fault."""
    return Random(f"{seed} {request.node.originalname}")


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """short.mp4: two seconds; long.mp4: ten seconds of work for a guest, in which something can happen, and few bytes."""
    folder = tmp_path_factory.mktemp("films")
    for name, length, size in (("short", 2, "320x240"), ("long", 40, "854x480")):
        picture = ("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d={length}")
        sound = ("-f", "lavfi", "-i", f"sine=duration={length}", "-c:a", "aac")
        encode = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "45", "-pix_fmt", "yuv420p", "-shortest")
        command = [str(find_tools().ffmpeg), "-v", "error", *picture, *sound, *encode, str(folder / f"{name}.mp4")]
        subprocess.run(command, stdin=subprocess.DEVNULL, check=True)
    return folder


@pytest.fixture(scope="session")
def whole_farm() -> Iterator[Farm]:
    """From nothing: a main host that transcodes nothing, and two secondaries.

    OMKT_FARM=up takes the one that `make farm-up` left running: for working on a test.
    """
    if os.environ.get("OMKT_FARM") == "up":
        farm = Farm.running_in(UP)
        yield farm
        farm.close()
        return
    farm = Farm(Lab.new(_FOLDER, images.disk()))
    try:
        try:
            farm.set_up("second", "third")
        except BaseException:
            print(farm.logs())
            raise
        yield farm
    finally:
        farm.close()
        if os.environ.get("OMKT_TEST_KEEP") != "1":
            remove(_FOLDER)


@pytest.fixture
def farm(whole_farm: Farm, request: pytest.FixtureRequest) -> Iterator[Farm]:
    """The farm. A test that fails shows what every host says, and leaves a whole farm to the next."""
    failed = request.session.testsfailed
    yield whole_farm
    if request.session.testsfailed > failed:
        print(whole_farm.logs())
        whole_farm.client.promised.clear()
        whole_farm.restore()
