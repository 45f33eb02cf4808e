from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.planning.media_samples import STEREO, facts, video

from omkt_pipeline.domain.capacity import Capacity, ChunkRules
from omkt_pipeline.domain.media import MediaFacts, SourceFile
from omkt_pipeline.domain.recipe import EncodeVideo, Input, VideoRendition
from omkt_pipeline.planning.chunks import Cutting, cut
from omkt_pipeline.planning.plan import plan_job
from omkt_pipeline.presets import shipped

SOURCE = SourceFile(path="originals/a/original", bytes=1)


def facts_of(
    seconds: float = 600.0, *, every: float = 2.0, container: str = "mov", start: float = 0.0, **changes: Any
) -> MediaFacts:
    keys = tuple(start + number * every for number in range(int(seconds / every)))
    track = video().model_copy(update={"key_times": keys, "start": start, "duration": seconds, **changes})
    found = facts(track, STEREO, start=start)
    return found.model_copy(update={"container": container, "duration": seconds})


def cutting(
    found: MediaFacts, *, slots: int = 4, rate: str = "25/1", grid: int = 50, cost: float = 2000.0, **options: Any
) -> Cutting:
    renditions = tuple(
        VideoRendition(
            name=codec, width=640, height=360, codec=codec, crf=22, max_kbps=1000, buffer_kbits=2000, speed="fast",
            profile="high", gop_frames=grid,
        )
        for codec in options.get("codecs", ("h264",))
    )  # fmt: skip
    given = Input(source=SOURCE, demuxer=found.demuxer, index=0, duration=found.duration or 0.0)
    return cut(
        found,
        found.video[0],
        EncodeVideo(input=given, rate=rate, renditions=renditions),
        cost=cost,
        capacity=options.get("capacity", Capacity(slots=slots, hosts=2)),
        rules=options.get("rules", ChunkRules()),
    )


def lengths(made: Cutting, seconds: float) -> list[float]:
    begins = [chunk.first / 25 for chunk in made.chunks]
    return [end - begin for begin, end in zip(begins, [*begins[1:], seconds], strict=True)]


def test_a_long_film_gives_every_slot_a_few_chunks_the_last_ones_short() -> None:
    made = cutting(facts_of(600.0))

    assert made.decision.code == "chunked"
    assert lengths(made, 600.0) == [
        60, 60, 60, 52, 46, 40, 36, 30, 28, 24, 20, 18, 16, 16, 16, 14, 16, 16, 16, 16,
    ]  # fmt: skip


def test_no_chunk_is_longer_than_the_target_whatever_the_film() -> None:
    made = lengths(cutting(facts_of(7200.0), cost=20_000.0), 7200.0)

    assert max(made) <= 62
    assert max(made[-4:]) <= 18


def test_an_uneven_farm_gets_smaller_chunks() -> None:
    even = cutting(facts_of(600.0), capacity=Capacity(slots=4, hosts=2))
    uneven = cutting(facts_of(600.0), capacity=Capacity(slots=4, hosts=2, uneven=True))

    assert len(uneven.chunks) > len(even.chunks)


def test_a_film_that_costs_little_is_cut_into_fewer_chunks() -> None:
    assert len(cutting(facts_of(600.0), cost=20.0).chunks) == 4


def test_reading_begins_at_the_key_frame_before_each_chunk() -> None:
    # Key frames every 7 s from 100 s on; the cuts lie on the grid of two seconds.
    made = cutting(facts_of(700.0, every=7.0, start=100.0))

    for chunk in made.chunks[1:]:
        assert chunk.seek is not None
        assert chunk.seek == pytest.approx(7 * (chunk.first / 25 // 7), abs=0.001)


def test_open_groups_are_read_from_one_key_frame_earlier() -> None:
    closed, open_ = (cutting(facts_of(600.0, open_groups=are_open)) for are_open in (False, True))
    pairs = list(zip(closed.chunks, open_.chunks, strict=True))[1:]

    assert [one.first for one, _ in pairs] == [other.first for _, other in pairs]
    assert all(other.seek == pytest.approx((one.seek or 0.0) - 2.0) for one, other in pairs)


def test_a_cut_moves_to_lie_just_behind_a_key_frame() -> None:
    made = cutting(facts_of(700.0, every=9.0))
    wasted = [chunk.first / 25 - (chunk.seek or 0.0) for chunk in made.chunks[1:]]

    assert max(wasted) < 2.0


def test_no_cut_moves_to_the_films_end() -> None:
    rules = ChunkRules(min_seconds=2, target_seconds=2)
    made = cutting(
        facts_of(10.0, key_times=(0.0, 4.0, 8.2)), rules=rules
    )  # behind the last one the grid goes on at 10 s

    assert [chunk.first for chunk in made.chunks] == [0, 100]


def test_a_stream_that_is_searched_by_time_is_read_from_well_before_the_key_frame() -> None:
    made = cutting(facts_of(600.0, container="mpegts", start=1.4))

    for chunk in made.chunks[1:]:
        assert chunk.seek is not None
        assert chunk.seek <= chunk.first / 25 - 1.5


@pytest.mark.parametrize(
    ("found", "slots", "code"),
    [
        (facts_of(600.0), 1, "whole_one_slot"),
        (facts_of(20.0), 4, "whole_short"),
        (facts_of(600.0, container="avi"), 4, "whole_container"),
        (facts_of(600.0, clock_fault="jump"), 4, "whole_clock"),
        (facts_of(600.0, codec="mpeg4"), 4, "whole_decoder"),
        (facts_of(600.0, pixel_format="yuv444p"), 4, "whole_decoder"),
        (facts_of(600.0, key_times=()), 4, "whole_no_index"),
        (facts_of(600.0, key_times=(0.0,)), 4, "whole_no_index"),
        (facts_of(600.0).model_copy(update={"start": -5.0}), 4, "whole_late"),
    ],
)  # fmt: skip
def test_what_is_not_cut_says_why(found: MediaFacts, slots: int, code: str) -> None:
    made = cutting(found, slots=slots)

    assert made.chunks == ()
    assert made.decision.code == code


def test_codecs_whose_chunks_are_not_joined_are_encoded_whole() -> None:
    assert cutting(facts_of(600.0), codecs=("h264", "vp8")).decision.code == "whole_codec"


@settings(deadline=None)
@given(
    seconds=st.floats(5, 40_000),
    every=st.floats(0.2, 20),
    slots=st.integers(2, 64),
    rate=st.sampled_from(["24000/1001", "25/1", "30000/1001", "60/1", "25/2"]),
    grid=st.integers(1, 300),
    least=st.floats(0.5, 15),
)
def test_chunks_cover_every_frame_once_and_begin_on_the_grid(
    seconds: float, every: float, slots: int, rate: str, grid: int, least: float
) -> None:
    rules = ChunkRules(min_seconds=least)
    made = cutting(facts_of(seconds, every=every), slots=slots, rate=rate, grid=grid, rules=rules)

    following = 0
    for number, chunk in enumerate(made.chunks):
        assert (chunk.number, chunk.first) == (number, following)
        assert chunk.first % grid == 0
        assert chunk.frames is None or chunk.frames > 0
        # A frame less than half a frame late still is the nearest one.
        assert chunk.seek is None or chunk.seek <= (chunk.first + 0.4) / Fraction(rate)
        following += chunk.frames or 0
    assert not made.chunks or (len(made.chunks) > 1 and made.chunks[-1].frames is None)
    assert following / Fraction(rate) < seconds


def test_a_plan_encodes_the_sound_once_and_packages_all_chunks() -> None:
    plan = plan_job(facts_of(600.0), SOURCE, [shipped()["hls-h264"]], capacity=Capacity(slots=4, hosts=2))
    tasks = {task.key: task for task in plan.tasks}
    chunks = [key for key in tasks if key.startswith("video.")]
    package = tasks["package-hls-h264"]

    assert len(chunks) == 20
    assert [key for key in tasks if key.startswith("audio")] == ["audio"]
    assert set(package.needs) == {"audio", *chunks}
    assert package.spec["chunks"] == {"video": chunks}
    assert sum(EncodeVideo.model_validate(tasks[key].spec).seconds for key in chunks) == pytest.approx(600.0)


def test_a_plan_without_room_is_as_it_was() -> None:
    plan = plan_job(facts_of(600.0), SOURCE, [shipped()["hls-h264"]])

    assert {task.key for task in plan.tasks} == {"video", "package-hls-h264"}
    assert "whole_one_slot" in {decision.code for decision in plan.decisions}
