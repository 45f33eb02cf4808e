"""Ladders that fit their film: what is sampled, and which rungs are worth having."""

import pytest
from pydantic import ValidationError
from tests.unit.planning.media_samples import SOURCE, STEREO, codes, facts, planned, sizes, video
from tests.unit.planning.test_chunks import facts_of

from omkt_pipeline.domain.media import MediaFacts
from omkt_pipeline.domain.plan import Plan
from omkt_pipeline.domain.preset import HlsPreset, Rung, VideoSettings
from omkt_pipeline.domain.recipe import EncodeVideo, StagedFolder
from omkt_pipeline.domain.task import TaskKind
from omkt_pipeline.planning.known import Known
from omkt_pipeline.planning.plan import plan_job
from omkt_pipeline.planning.sampling import sampling, taken
from omkt_pipeline.presets import shipped

NAMES = ("1080p", "720p", "480p", "360p", "240p")


def ladder(*kbps: float) -> Plan:
    """The plan of a film of which samples took so many kbit/s, largest first."""
    sampled = {"hls-auto": {name: one * 1000 for name, one in zip(NAMES, kbps, strict=True)}}
    return plan_job(facts(video(), STEREO), SOURCE, [shipped()["hls-auto"]], known=Known(sampled=sampled))


def rungs(plan: Plan) -> list[str]:
    return [name for name, _, _ in sizes(plan)]


def first_plan(found: MediaFacts, preset: str = "hls-auto", **spec: object) -> Plan | None:
    return sampling(found, SOURCE, [shipped()[preset]], spec=spec)


def recipes_of(plan: Plan) -> list[EncodeVideo]:
    return [EncodeVideo.model_validate(one.spec) for one in plan.tasks if one.kind is TaskKind.ENCODE]


@pytest.mark.parametrize(
    ("kbps", "kept"),
    [
        ((5000, 2500, 1200, 700, 350), [*NAMES]),  # sports: every step halves
        ((400, 340, 260, 180, 100), ["1080p", "480p", "360p", "240p"]),  # slides
        ((100, 99, 98, 97, 96), ["1080p"]),  # one still
        ((1000, 750, 562, 421, 315), [*NAMES]),  # just worth it
    ],
)
def test_a_rung_is_made_that_spares_something(kbps: tuple[float, ...], kept: list[str]) -> None:
    assert rungs(ladder(*kbps)) == kept


def test_a_plan_says_what_samples_took_and_what_is_left_out() -> None:
    plan = ladder(400, 340, 260, 180, 100)
    said = {one.code: one.message for one in plan.decisions}

    assert "1080p 400 kbit/s" in said["ladder_sampled"]
    assert said["rung_not_worth"].startswith("720p needs 85% of the bits of 1080p")


def test_a_dry_run_shows_all_rungs_and_says_that_samples_will_decide() -> None:
    plan = planned(facts(video(), STEREO), "hls-auto")

    assert rungs(plan) == [*NAMES]
    assert "ladder_unsampled" in codes(plan)


def test_a_usual_ladder_is_not_sampled() -> None:
    assert first_plan(facts(video(), STEREO), "hls-h264") is None
    assert not codes(planned(facts(video(), STEREO), "hls-h264")) & {"ladder_sampled", "ladder_unsampled"}


@pytest.mark.parametrize("found", [facts(video(160, 90), STEREO), facts(STEREO)])
def test_where_there_is_one_rung_or_none_there_is_nothing_to_find_out(found: MediaFacts) -> None:
    assert first_plan(found) is None


def test_samples_of_a_long_film_are_short_and_lie_within_it() -> None:
    plan = first_plan(facts_of(600.0))
    assert plan is not None
    chunks = [one.chunk for one in recipes_of(plan) if one.chunk is not None]

    assert [(one.first, one.frames) for one in chunks] == [(3000, 100), (7500, 100), (12000, 100)]
    assert all(one.seek is not None for one in chunks)
    assert plan.outputs == ()
    assert plan.tasks[-1].kind is TaskKind.PLAN
    assert plan.tasks[-1].needs == tuple(one.key for one in plan.tasks[:-1])
    assert plan.tasks[-1].spec == {"sampled": True}


def test_a_film_that_can_only_be_read_from_its_beginning_is_sampled_once() -> None:
    plan = first_plan(facts_of(600.0, container="flv", key_times=()))
    assert plan is not None

    assert len(recipes_of(plan)) == 1


def test_of_a_short_film_all_is_sampled() -> None:
    plan = first_plan(facts_of(20.0))
    assert plan is not None

    assert [one.chunk for one in recipes_of(plan)] == [None]


def test_what_was_added_later_is_told_to_the_second_plan() -> None:
    plan = first_plan(facts_of(600.0), presets=["hls-auto"])
    assert plan is not None

    assert plan.tasks[-1].spec == {"presets": ["hls-auto"], "sampled": True}
    assert plan.tasks[-1].key != "plan-sampled"


def test_samples_weigh_by_their_length() -> None:
    def sample(bitrate: int, seconds: float) -> StagedFolder:
        made = {"720p": {"bitrate": bitrate, "duration": seconds}}
        return StagedFolder(folder="", artifacts=(), facts={"renditions": made})

    found = taken({"sample.a.0": sample(1000, 4.0), "sample.a.1": sample(4000, 2.0), "sample.b.0": sample(7, 1.0)})

    assert found == {"a": {"720p": pytest.approx(2000)}, "b": {"720p": pytest.approx(7)}}


def test_only_constant_quality_can_be_sampled() -> None:
    with pytest.raises(ValidationError, match="crf"):
        VideoSettings(ladder="auto", rungs=(Rung(size=720, kbps=1000, max_kbps=2000),))


def test_the_shipped_one_is_the_usual_one_but_for_that() -> None:
    auto, usual = shipped()["hls-auto"], shipped()["hls-h264"]
    assert isinstance(auto, HlsPreset)
    assert isinstance(usual, HlsPreset)

    assert auto.video.model_copy(update={"ladder": "fixed"}) == usual.video
