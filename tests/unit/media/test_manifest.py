"""The DASH manifest says of every track what its segments are."""

import xml.etree.ElementTree as ET
from fractions import Fraction

from omkt_pipeline.media.manifest import Track, dash_manifest
from omkt_pipeline.media.playlist import Rate

MPD = "{urn:mpeg:dash:schema:mpd:2011}"
RATE = Rate(peak=900_000, average=700_000)
LARGE = Track(
    name="720p", codec="avc1.64001f", rate=RATE, timescale=12288, begins_at=0, lengths=(73728, 73728, 54272),
    width=1280, height=720, frame_rate=Fraction(24000, 1001),
)  # fmt: skip
SOUND = Track(
    name="audio-2", codec="mp4a.40.2", rate=RATE, timescale=48000, begins_at=480, lengths=(288768, 9), language="fra", channels=8
)  # fmt: skip


def parsed(*, pictures: list[Track], sounds: list[Track]) -> ET.Element:
    return ET.fromstring(dash_manifest(pictures, sounds, init="init.mp4", segment="$Number%05d$.m4s"))


def test_a_timeline_has_every_segment_and_where_it_begins() -> None:
    root = parsed(pictures=[LARGE], sounds=[SOUND])

    pictures, sounds = (
        [(one.get("t"), one.get("d"), one.get("r")) for one in part.iter(f"{MPD}S")]
        for part in root.iter(f"{MPD}AdaptationSet")
    )

    assert pictures == [("0", "73728", "1"), (None, "54272", None)]
    assert sounds == [("480", "288768", None), (None, "9", None)]
    assert root.get("mediaPresentationDuration") == f"PT{201728 / 12288:.3f}S"


def test_all_renditions_are_one_picture_and_each_language_a_sound_of_its_own() -> None:
    small = Track(**{**vars(LARGE), "name": "480p", "width": 854, "height": 480})
    other = Track(**{**vars(SOUND), "name": "audio", "language": None, "channels": 2})

    sets = list(parsed(pictures=[LARGE, small], sounds=[other, SOUND]).iter(f"{MPD}AdaptationSet"))

    assert [len(list(one.iter(f"{MPD}Representation"))) for one in sets] == [2, 1, 1]
    assert [one.get("lang") for one in sets] == [None, None, "fra"]
    assert [role.get("value") for one in sets for role in one.iter(f"{MPD}Role")] == ["main", "alternate"]
    layouts = [one.get("value") for part in sets for one in part.iter(f"{MPD}AudioChannelConfiguration")]
    assert layouts == ["2", "12"], "eight loudspeakers are layout 12"


def test_a_rendition_says_what_a_player_chooses_by() -> None:
    (one,) = parsed(pictures=[LARGE], sounds=[]).iter(f"{MPD}Representation")

    assert {name: one.get(name) for name in ("codecs", "bandwidth", "width", "height", "frameRate")} == {
        "codecs": "avc1.64001f",
        "bandwidth": "900000",
        "width": "1280",
        "height": "720",
        "frameRate": "24000/1001",
    }
    (template,) = one.iter(f"{MPD}SegmentTemplate")
    assert template.get("media") == "$RepresentationID$/$Number%05d$.m4s"


def test_sound_alone_is_a_presentation_too() -> None:
    (only,) = parsed(pictures=[], sounds=[SOUND]).iter(f"{MPD}AdaptationSet")

    assert only.get("contentType") == "audio"
