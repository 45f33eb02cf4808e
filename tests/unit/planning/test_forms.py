"""In which form encodes leave what they make, and which of them are one task."""

from fractions import Fraction

from tests.unit.planning.media_samples import SOURCE, STEREO, facts, planned, recipes, video

from omkt_pipeline.domain.capacity import Capacity
from omkt_pipeline.domain.plan import Plan
from omkt_pipeline.domain.recipe import EncodeAudio, EncodeTogether, EncodeVideo, encode_spec, package_spec
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


def finishing(plan: Plan, task: str) -> tuple[list[str], tuple[str, ...]]:
    """The outputs whose files a task makes, and what it leaves besides."""
    recipe = encode_spec.validate_python(next(one.spec for one in plan.tasks if one.key == task))
    return ([spec.output for spec in recipe.files], recipe.kept) if isinstance(recipe, EncodeTogether) else ([], ())


def test_a_file_is_made_where_all_of_it_was_encoded() -> None:
    plan = planned(facts(video(), STEREO), "mp4-720p", "mp4-1080p", "preview")

    assert finishing(plan, "video") == (["mp4-720p", "mp4-1080p"], ())
    assert finishing(plan, "preview") == (["preview"], ())
    assert all(task.spec["finished"] for task in plan.tasks if task.kind == "package")


def test_what_a_ladder_needs_too_is_left_besides() -> None:
    plan = planned(facts(video(), STEREO), "hls-h264", "mp4-720p")

    assert finishing(plan, "video") == (["mp4-720p"], ("1080p", "240p", "360p", "480p", "720p", "audio"))


def test_a_file_of_parts_of_several_tasks_is_joined_by_its_package() -> None:
    plan = planned(facts(video(), STEREO), "mp4-720p", "audio-aac")  # the sound is made apart, as it is wanted alone

    assert finishing(plan, "video") == ([], ())
    assert {task.key: task.spec["finished"] for task in plan.tasks if task.kind == "package"} == {
        "package-mp4-720p": False, "package-audio-aac": True,
    }  # fmt: skip
    assert finishing(plan, "audio") == (["audio-aac"], ("audio",))


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
