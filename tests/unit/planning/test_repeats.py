from tests.unit.planning.media_samples import SOURCE, STEREO, facts, video

from omkt_pipeline.domain.task import TaskKind
from omkt_pipeline.planning.known import Known
from omkt_pipeline.planning.plan import plan_job
from omkt_pipeline.presets import shipped

MP4, HLS = shipped()["mp4-720p"], shipped()["hls-h264"]


def test_names_of_a_preset_change_nothing_of_what_it_makes() -> None:
    renamed = MP4.model_copy(update={"id": "mine", "title": "Mine", "version": 7})

    assert Known().recipe(renamed) == Known().recipe(MP4)
    assert Known().recipe(HLS) != Known().recipe(MP4)


def test_another_build_of_ffmpeg_makes_something_else() -> None:
    assert Known(build="7.1").recipe(MP4) != Known(build="8.0").recipe(MP4)


def test_what_exists_is_delivered_without_an_encode() -> None:
    there = Known(rows={Known().recipe(MP4): 17})

    plan = plan_job(facts(video(), STEREO), SOURCE, [MP4], known=there)

    (task,) = plan.tasks
    assert (task.kind, task.spec, task.needs) == (
        TaskKind.PACKAGE,
        {"kind": "again", "output": "mp4-720p", "of": 17},
        (),
    )
    assert task.spec_version == 4  # the first that knows of it
    assert "made_before" in {one.code for one in plan.decisions}
    assert plan.outputs[0].recipe == Known().recipe(MP4)


def test_what_does_not_exist_is_made_beside_it() -> None:
    there = Known(rows={Known().recipe(MP4): 17})

    tasks = plan_job(facts(video(), STEREO), SOURCE, [MP4, HLS], known=there).tasks

    assert [task.spec["kind"] for task in tasks if task.output == "mp4-720p"] == ["again"]
    assert any(task.kind is TaskKind.ENCODE for task in tasks)
