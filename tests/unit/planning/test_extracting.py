"""When sounds are copied out of a film for encodes that would read all of it over a network."""

import pytest
from tests.unit.planning.media_samples import SOURCE, STEREO, facts, video
from tests.unit.planning.test_chunks import facts_of

from omkt_pipeline.domain.capacity import Capacity
from omkt_pipeline.domain.media import MediaFacts
from omkt_pipeline.domain.recipe import Extract
from omkt_pipeline.domain.task import TaskKind
from omkt_pipeline.planning.plan import plan_job
from omkt_pipeline.presets import shipped

AFAR = Capacity(slots=2, hosts=2, afar=True)


def needs(found: MediaFacts, *presets: str, capacity: Capacity = AFAR) -> dict[str, tuple[str, ...]]:
    """The tasks of a plan, but for its packages, and what each waits for."""
    plan = plan_job(found, SOURCE, [shipped()[preset] for preset in presets], capacity=capacity)
    return {task.key: task.needs for task in plan.tasks if task.kind is not TaskKind.PACKAGE}


def test_a_sound_that_is_encoded_apart_waits_for_its_copy() -> None:
    tasks = needs(facts_of(600.0), "hls-h264")

    assert tasks["sounds"] == ()
    assert tasks["audio"] == ("sounds",)
    assert all(tasks[key] == () for key in tasks if key.startswith("video"))


def test_a_sound_alone_of_a_film_waits_too() -> None:
    assert needs(facts(video(), STEREO), "audio-aac") == {"sounds": (), "audio": ("sounds",)}


def test_what_is_read_with_its_picture_needs_no_copy() -> None:
    assert needs(facts(video(), STEREO), "mp4-720p") == {"video": ()}


def test_what_has_no_picture_is_read_as_it_is() -> None:
    assert needs(facts(STEREO), "audio-aac") == {"audio": ()}


@pytest.mark.parametrize("demuxer", ["mpegts", "avi", "flv", "mpeg"])
def test_a_container_that_would_round_times_is_read_as_it_is(demuxer: str) -> None:
    found = facts(video(), STEREO).model_copy(update={"container": demuxer})

    assert needs(found, "audio-aac") == {"audio": ()}


def test_nothing_is_copied_where_the_disk_is_no_further() -> None:
    assert needs(facts(video(), STEREO), "audio-aac", capacity=Capacity(slots=2, hosts=2)) == {"audio": ()}


def test_a_copy_holds_the_tracks_that_are_used() -> None:
    plan = plan_job(facts(video(), STEREO), SOURCE, [shipped()["audio-aac"]], capacity=AFAR)
    recipe = Extract.model_validate(next(task.spec for task in plan.tasks if task.kind is TaskKind.EXTRACT))

    assert recipe.indexes == (STEREO.index,)
    assert recipe.source == SOURCE
