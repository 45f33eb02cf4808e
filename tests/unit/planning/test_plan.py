import pytest
from tests.unit.planning.media_samples import SOURCE, STEREO, codes, facts, planned, recipes, sizes, video

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.media import AudioTrack, Colour, SubtitleTrack
from omkt_pipeline.domain.recipe import EncodeAudio
from omkt_pipeline.planning.plan import plan_job
from omkt_pipeline.presets import shipped


def test_a_full_hd_film_gets_the_whole_ladder() -> None:
    assert sizes(planned(facts(video(), STEREO), "hls-h264")) == [
        ("1080p", 1920, 1080),
        ("720p", 1280, 720),
        ("480p", 854, 480),
        ("360p", 640, 360),
        ("240p", 426, 240),
    ]


def test_a_rung_that_would_enlarge_the_picture_is_dropped_and_reported() -> None:
    plan = planned(facts(video(1280, 720)), "hls-h264")

    assert sizes(plan)[0] == ("720p", 1280, 720)
    assert "rung_dropped_upscale" in codes(plan)


def test_a_source_between_two_rungs_keeps_its_own_size() -> None:
    plan = planned(facts(video(1600, 900)), "hls-h264")

    assert sizes(plan)[:2] == [("1080p", 1600, 900), ("720p", 1280, 720)]
    assert "rung_at_source_size" in codes(plan)


def test_a_source_below_the_ladder_gets_one_rendition_of_its_own_size() -> None:
    assert sizes(planned(facts(video(161, 121)), "hls-h264")) == [("240p", 160, 120)]


@pytest.mark.parametrize(
    ("preset", "made"), [("mp4-av1-1080p", (96, 64)), ("mp4-hevc-1080p", (48, 32)), ("mp4-480p", (48, 32))]
)
def test_a_tiny_picture_becomes_as_large_as_its_encoder_takes(preset: str, made: tuple[int, int]) -> None:
    plan = planned(facts(video(48, 32)), preset)

    assert [size for _, *size in sizes(plan)] == [list(made)]
    assert ("enlarged_to_smallest" in codes(plan)) == (made != (48, 32))


@pytest.mark.parametrize(
    ("width", "height", "first"),
    [
        (1080, 1920, ("1080p", 1080, 1920)),  # a phone held upright
        (1920, 804, ("1080p", 1920, 804)),
        (1440, 1080, ("1080p", 1440, 1080)),
        (1080, 1080, ("1080p", 1080, 1080)),
        (3840, 1080, ("1080p", 1920, 540)),
    ],
)
def test_every_shape_is_fitted_into_its_rung(width: int, height: int, first: tuple[str, int, int]) -> None:
    assert sizes(planned(facts(video(width, height)), "hls-h264"))[0] == first


def test_rotation_and_pixel_shape_count_before_the_ladder_is_chosen() -> None:
    plan = planned(facts(video(720, 576, sample_aspect="64/45", rotation=90)), "hls-h264")

    assert sizes(plan)[0] == ("720p", 576, 1024)
    assert {"rotated", "square_pixels"} <= codes(plan)


def test_all_pictures_of_a_job_come_from_one_decode() -> None:
    plan = planned(facts(video(), STEREO), "hls-h264", "mp4-720p", "mp4-1080p", "thumbnails", "poster", "audio-aac")

    assert [task.key for task in plan.tasks if task.kind == "encode"] == ["audio", "stills", "video"]


def test_equal_recipes_of_two_outputs_are_encoded_once() -> None:
    alone = sizes(planned(facts(video()), "hls-h264"))

    assert sizes(planned(facts(video()), "hls-h264", "mp4-720p", "mp4-1080p")) == alone


def test_a_package_needs_only_what_it_uses() -> None:
    plan = planned(facts(video(), STEREO), "hls-h264", "audio-aac", "poster")

    assert {task.key: task.needs for task in plan.tasks if task.kind == "package"} == {
        "package-hls-h264": ("audio", "video"),  # the sound is wanted alone, too, and waits for no picture
        "package-audio-aac": ("audio",),
        "package-poster": ("stills",),
    }


def test_a_silent_film_is_delivered_silent() -> None:
    plan = planned(facts(video()), "hls-h264")

    assert "no_sound" in codes(plan)
    assert [task.key for task in plan.tasks] == ["video", "package-hls-h264"]


def test_sound_alone_becomes_an_audio_presentation() -> None:
    plan = planned(facts(STEREO), "hls-h264")

    assert "audio_only" in codes(plan)
    assert [task.key for task in plan.tasks] == ["audio", "package-hls-h264"]


@pytest.mark.parametrize("preset", ["mp4-720p", "mp4-1080p", "thumbnails", "poster"])
def test_a_picture_of_sound_alone_is_refused(preset: str) -> None:
    with pytest.raises(SourceError) as refusal:
        planned(facts(STEREO), preset)

    assert refusal.value.code == "no_video"


def test_the_sound_of_a_silent_film_is_refused() -> None:
    with pytest.raises(SourceError) as refusal:
        planned(facts(video()), "audio-aac")

    assert refusal.value.code == "no_audio"


def test_what_cannot_be_made_is_skipped_and_the_rest_is_made() -> None:
    plan = planned(facts(video()), "audio-aac", "mp4-720p")

    assert {one.key: one.skipped for one in plan.outputs} == {"audio-aac": "no_audio", "mp4-720p": None}
    assert ("no_audio", "audio-aac", True) in [(one.code, one.output, one.warning) for one in plan.decisions]
    assert {task.output for task in plan.tasks if task.output} == {"mp4-720p"}


def test_what_the_caller_calls_impossible_is_skipped_with_its_reason() -> None:
    lacking = {"mp4-720p": SourceError("No encoder.", code="preset_unavailable")}
    wanted = [shipped()["mp4-720p"], shipped()["poster"]]

    plan = plan_job(facts(video(), STEREO), SOURCE, wanted, impossible=lacking)

    assert [one.skipped for one in plan.outputs] == ["preset_unavailable", None]
    with pytest.raises(SourceError) as refusal:
        plan_job(facts(video(), STEREO), SOURCE, wanted[:1], impossible=lacking)
    assert refusal.value.code == "preset_unavailable"


def test_interlaced_and_hdr_sources_are_prepared_once_for_all_renditions() -> None:
    plan = planned(facts(video(interlaced=True, colour=Colour(transfer="smpte2084"))), "hls-h264")
    spec = next(task.spec for task in plan.tasks if task.key == "video")

    assert (spec["deinterlace"], spec["tone_map"]) == (True, "pq")
    assert {"deinterlaced", "tone_mapped"} <= codes(plan)


def test_surround_is_mixed_down_and_a_phone_call_stays_mono() -> None:
    surround, mono = STEREO.model_copy(update={"channels": 6}), STEREO.model_copy(update={"channels": 1})

    assert "mixed_down" in codes(planned(facts(surround), "audio-aac"))
    (recipe,) = recipes(planned(facts(mono), "audio-aac"), "audio")
    assert isinstance(recipe, EncodeAudio)
    assert recipe.kbps == 64


def test_the_default_track_is_taken_and_the_others_are_reported() -> None:
    commentary = AudioTrack(index=1, codec="aac", channels=2, sample_rate=48000)
    main = AudioTrack(index=2, codec="ac3", channels=2, sample_rate=48000, default=True)
    plan = planned(facts(commentary, main), "audio-aac")

    assert recipes(plan, "audio")[0].input.index == 2
    assert "audio_tracks_left_out" in codes(plan)


def test_a_ladder_takes_one_sound_for_each_language() -> None:
    tracks = [
        AudioTrack(
            index=number, codec="aac", channels=2, sample_rate=48000, language=language, default=language == "deu"
        )
        for number, language in ((1, "eng"), (2, "deu"), (3, "eng"), (4, None), (5, "fra"))
    ]
    plan = planned(facts(video(), *tracks), "hls-h264")
    package = next(task.spec for task in plan.tasks if task.kind == "package")

    assert [part["name"] for part in package["audio"]] == ["audio", "audio-eng", "audio-fra"]
    assert [recipe.input.index for recipe in recipes(plan, "video")] == [0, 2, 1, 5]
    (left_out,) = (one for one in plan.decisions if one.code == "audio_tracks_left_out")
    assert left_out.message == "The source has 5 sounds; 3 are used."


def test_a_late_track_must_last_until_its_end_on_the_common_clock() -> None:
    late = video(start=10.5, duration=49.5)
    plan = planned(facts(late, STEREO, start=0.5), "mp4-720p")

    assert recipes(plan, "video")[0].input.duration == 59.5


def test_a_longer_film_costs_more() -> None:
    short, long = facts(video(duration=60.0)), facts(video(duration=600.0))

    costs = [
        next(task.cost for task in planned(film, "hls-h264").tasks if task.key == "video") for film in (short, long)
    ]

    assert costs[1] > 9 * costs[0]


def test_titles_that_are_text_are_delivered_and_pictures_of_text_are_not() -> None:
    tracks = [("subrip", "text", "eng"), ("hdmv_pgs_subtitle", "image", "eng"), ("dvb_teletext", "unknown", None)]
    titles = tuple(
        SubtitleTrack(index=number, codec=codec, kind=kind, language=language)  # type: ignore[arg-type]
        for number, (codec, kind, language) in enumerate(tracks, 2)
    )
    plan = planned(facts(video(), STEREO, subtitles=3, subtitle_tracks=titles), "hls-h264", "mp4-720p", "social-1080p")

    (texts,) = [task for task in plan.tasks if task.key == "texts"]
    assert [(text["name"], text["index"]) for text in texts.spec["texts"]] == [("text-eng", 2)]
    assert {"subtitles_are_images", "subtitles_unreadable", "subtitles_left_out"} <= codes(plan)
    needs = {task.key: "texts" in task.needs for task in plan.tasks if task.kind == "package"}
    assert needs == {"package-hls-h264": True, "package-mp4-720p": True, "package-social-1080p": False}
