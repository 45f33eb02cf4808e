"""In which form encodes leave what they make, and which of them are one task."""

from fractions import Fraction

from tests.unit.planning.media_samples import SOURCE, STEREO, facts, planned, recipes, video

from omkt_pipeline.domain.capacity import Capacity
from omkt_pipeline.domain.recipe import EncodeAudio, EncodeVideo, package_spec
from omkt_pipeline.planning.plan import plan_job
from omkt_pipeline.presets import shipped


def test_a_film_that_stays_whole_is_encoded_with_its_sound_by_one_worker() -> None:
    plan = planned(facts(video(), STEREO), "mp4-720p")

    assert {task.key: task.needs for task in plan.tasks} == {"video": (), "package-mp4-720p": ("video",)}
    package = package_spec.validate_python(plan.tasks[-1].spec)
    assert [(part.task, part.name) for part in (*package.video, *package.audio)] == [
        ("video", "720p"), ("video", "audio"),
    ]  # fmt: skip


def test_a_sound_that_costs_much_beside_its_picture_stays_a_task_of_its_own() -> None:
    plan = planned(facts(video(160, 120), STEREO), "mp4-720p")

    assert [task.key for task in plan.tasks] == ["audio", "video", "package-mp4-720p"]


def test_what_only_a_ladder_wants_is_left_cut_into_segments() -> None:
    film, sound = recipes(planned(facts(video(), STEREO), "hls-h264"), "video")

    assert isinstance(film, EncodeVideo)
    assert isinstance(sound, EncodeAudio)
    assert {rendition.segment_frames for rendition in film.renditions} == {150}
    assert sound.segment_seconds == 6.0


def test_what_a_file_is_made_of_too_is_left_as_a_file() -> None:
    film, sound = recipes(planned(facts(video(), STEREO), "hls-h264", "mp4-720p"), "video")

    assert isinstance(film, EncodeVideo)
    assert isinstance(sound, EncodeAudio)
    assert {one.name: one.segment_frames for one in film.renditions if one.name in ("1080p", "720p")} == {
        "1080p": 150, "720p": None,
    }  # fmt: skip
    assert sound.segment_seconds is None


def test_segments_are_whole_groups_of_pictures_at_any_rate() -> None:
    odd = video(average_rate="30000/1001", base_rate="30000/1001")
    film, sound = recipes(planned(facts(odd, STEREO), "hls-h264"), "video")

    assert isinstance(film, EncodeVideo)
    assert isinstance(sound, EncodeAudio)
    assert {(one.gop_frames, one.segment_frames) for one in film.renditions} == {(60, 180)}
    assert sound.segment_seconds == float(180 / Fraction(30000, 1001))


def test_chunks_begin_with_a_segment() -> None:
    keys = tuple(2.0 * number for number in range(300))
    long = facts(video(duration=600.0, key_times=keys), STEREO).model_copy(update={"duration": 600.0})
    plan = plan_job(long, SOURCE, [shipped()["hls-h264"]], capacity=Capacity(slots=4, hosts=2))
    firsts = [
        recipe.chunk.first
        for task in plan.tasks
        if task.key.startswith("video.")
        for recipe in recipes(plan, task.key)
        if isinstance(recipe, EncodeVideo) and recipe.chunk is not None
    ]

    assert len(firsts) > 4
    assert all(first % 150 == 0 for first in firsts)
