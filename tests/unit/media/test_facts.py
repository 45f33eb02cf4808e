from typing import Any

import pytest

from omkt_pipeline.domain.errors import SourceError
from omkt_pipeline.domain.media import MediaFacts
from omkt_pipeline.media.extent import Extent, measured
from omkt_pipeline.media.facts import facts_from, kept


def stream(**more: Any) -> dict[str, Any]:
    return {
        "index": 0, "codec_type": "video", "codec_name": "h264", "width": 1920, "height": 1080,
        "r_frame_rate": "25/1", "avg_frame_rate": "25/1", "nb_frames": "250", "duration": "10.0", **more,
    }  # fmt: skip


def facts(*streams: dict[str, Any], frames: list[dict[str, Any]] | None = None, name: str = "mov,mp4") -> MediaFacts:
    header = {"format_name": name, "duration": "10.0", "start_time": "0.0"}
    return facts_from({"streams": list(streams), "frames": frames or [], "format": header}, size=1)


def seen(*lines: str) -> Extent:
    extent = Extent(whole=True)
    for line in lines:
        extent.take(line)
    return extent


def test_a_packet_of_sound_that_claims_to_last_for_days_lasts_no_time() -> None:
    extent = Extent(whole=True, sounds=frozenset({1}))
    for line in ("0,0.0,0.0,90.0,K__", "1,0.4,0.4,0.1,K__", "1,0.5,0.5,194783.1,K__"):
        extent.take(line)

    assert extent.ends == {0: 90.0, 1: 0.5}


def test_a_packet_without_a_time_counts() -> None:
    extent = Extent(whole=True, sounds=frozenset({1}))
    for line in ("0,0.58,0.50,0.04,K__", "0,N/A,N/A,0.04,___", "1,0.57,0.57,0.02,K__", "1,N/A,N/A,0.02,K__"):
        assert extent.take(line)

    assert extent.packets == {0: 2, 1: 2}
    assert extent.faults == {}


@pytest.mark.parametrize(("promised", "found"), [("4.01", 4.01), ("3.9", 3.925), ("4.5", 4.01)])
def test_a_last_packet_that_does_not_say_how_long_it_lasts_ends_where_the_header_says(
    promised: str, found: float
) -> None:
    sound = {
        "index": 0,
        "codec_type": "audio",
        "codec_name": "alac",
        "channels": 1,
        "sample_rate": "48000",
        "duration": promised,
    }
    facts = facts_from({"format": {"format_name": "caf", "start_time": "0.0"}, "streams": [sound]}, size=100)
    extent = Extent(whole=True, sounds=frozenset({0}))
    for line in ("0,3.84,3.84,N/A,K__", "0,3.925,3.925,N/A,K__"):
        assert extent.take(line)

    assert measured(facts, extent).audio[0].duration == pytest.approx(found)


def test_a_cover_is_not_a_film() -> None:
    found = facts(stream(disposition={"attached_pic": 1}))

    assert (found.video, found.attached_pictures) == ((), 1)


def test_the_decoded_frames_are_believed_before_the_container() -> None:
    found = facts(stream(width=65535, height=65535), frames=[{"stream_index": 0, "width": 320, "height": 240}])

    assert (found.video[0].width, found.video[0].height) == (320, 240)


def test_ffprobes_anticlockwise_rotation_becomes_clockwise() -> None:
    found = facts(stream(side_data_list=[{"side_data_type": "Display Matrix", "rotation": -90}]))

    assert (found.video[0].rotation, found.video[0].display_size) == (90, (1080, 1920))


@pytest.mark.parametrize(("said", "used"), [("4:3", "4/3"), ("0:1", "1/1"), ("N/A", "1/1"), ("1:5000", "1/1")])
def test_an_impossible_pixel_shape_is_ignored(said: str, used: str) -> None:
    assert facts(stream(sample_aspect_ratio=said)).video[0].sample_aspect == used


def test_frames_tell_what_the_header_does_not_about_fields() -> None:
    assert facts(stream(), frames=[{"stream_index": 0, "interlaced_frame": 1}]).video[0].interlaced


def test_encrypted_and_unknown_tracks_are_named_and_not_used() -> None:
    found = facts(stream(codec_tag_string="encv"), stream(index=1, codec_name="snow"))

    assert (found.video, found.unusable) == ((), ("encrypted", "snow"))


def test_strings_of_the_source_are_cut_and_made_printable_before_they_are_stored() -> None:
    raw = {"format": {"tags": {"title": "a\x00\x1b[31m" + "x" * 5000}}, "frames": [1]}

    title = kept(raw)["format"]["tags"]["title"]

    assert len(title) == 1000
    assert title.isprintable()
    assert "frames" not in kept(raw)


def test_a_track_that_holds_less_than_its_index_promises_is_cut() -> None:
    with pytest.raises(SourceError) as refusal:
        measured(facts(stream()), seen("0,0.40,0.40,0.04,K__"))

    assert refusal.value.code == "source_truncated"


def test_a_header_that_only_guesses_is_corrected_by_the_data() -> None:
    sound = {"index": 0, "codec_type": "audio", "codec_name": "pcm_s16le", "channels": 2, "sample_rate": "48000"}

    found = measured(facts(sound, name="wav"), seen("0,0.0,0.0,0.5,K__"))

    assert (found.duration, found.audio[0].duration) == (0.5, 0.5)


def test_a_recording_that_begins_late_is_measured_from_where_its_header_counts() -> None:
    late = facts(stream(start_time="5.0"), name="matroska,webm").model_copy(update={"start": 5.0})

    assert measured(late, seen("0,5.0,5.0,0.04,K__", "0,9.96,9.96,0.04,K__")).duration == 5.0
    with pytest.raises(SourceError, match=r"announces 10.0 s and holds 2.0 s"):
        measured(late, seen("0,5.0,5.0,0.04,K__", "0,6.96,6.96,0.04,K__"))


def test_a_track_without_a_single_packet_is_no_track() -> None:
    second = stream(index=1)
    del second["nb_frames"]

    found = measured(facts(stream(), second), seen("0,9.96,9.96,0.04,K__"))

    assert [track.index for track in found.video] == [0]


def jumping(*times: float) -> Extent:
    """One stream whose clock may jump, a packet of a second at each of these times."""
    extent = Extent(whole=True, jumping=frozenset({0}))
    for time in times:
        extent.take(f"0,{time},{time},1.0,K__")
    return extent


def test_a_clock_that_begins_anew_goes_on_where_it_was() -> None:
    extent = jumping(500, 501, 9000, 9001, 3, 4, 5)

    assert (extent.begins[0], extent.ends[0]) == (500, 507)
    assert extent.faults == {0: "jump"}


def test_a_single_time_far_from_all_others_is_damage_and_not_a_jump() -> None:
    extent = jumping(500, 501, 32000, 503, 504)

    assert (extent.begins[0], extent.ends[0], extent.packets[0]) == (500, 505, 5)
    assert extent.faults == {0: "jump"}


@pytest.mark.parametrize(("pausing", "fault"), [(1, None), (0, "jump")])
def test_titles_of_a_transport_stream_pause_as_long_as_they_like(pausing: int, fault: str | None) -> None:
    extent = Extent(whole=True, jumping=frozenset({0}))
    for time in range(60):
        extent.take(f"0,{time},{time},1.0,K__")
    for time in (1, 45):
        extent.take(f"{pausing},{time},{time},1.0,K__")

    assert measured(facts(stream(), name="mpegts"), extent).video[0].clock_fault == fault
