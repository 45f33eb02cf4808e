from fractions import Fraction

from omkt_pipeline.media.playlist import (
    KeyFrame,
    Rate,
    Sound,
    Titles,
    Variant,
    key_frame_playlist,
    master_playlist,
    media_playlist,
    rate_of,
)

VARIANT = Variant(
    uri="720p/index.m3u8", width=1280, height=720, frame_rate=Fraction(30000, 1001), codec="avc1.64001f",
    rate=Rate(peak=3_000_000, average=2_000_000),
)  # fmt: skip
SOUND = Sound(
    uri="audio/index.m3u8", codec="mp4a.40.2", channels=2, rate=Rate(peak=130_000, average=128_000), language="de"
)


def test_the_master_playlist_names_all_that_a_player_needs_to_choose() -> None:
    assert master_playlist([VARIANT], [SOUND]) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="de",LANGUAGE="de",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2"'
        ',URI="audio/index.m3u8"\n'
        "#EXT-X-STREAM-INF:BANDWIDTH=3130000,AVERAGE-BANDWIDTH=2128000,RESOLUTION=1280x720,FRAME-RATE=29.970"
        ',VIDEO-RANGE=SDR,CODECS="avc1.64001f,mp4a.40.2",AUDIO="audio"\n'
        "720p/index.m3u8\n"
    )


def test_sound_alone_is_a_variant_of_its_own() -> None:
    assert master_playlist([], [SOUND]).splitlines()[-2:] == [
        '#EXT-X-STREAM-INF:BANDWIDTH=130000,AVERAGE-BANDWIDTH=128000,CODECS="mp4a.40.2"',
        "audio/index.m3u8",
    ]


def test_titles_are_a_group_of_every_variant_and_no_two_have_one_name() -> None:
    titles = [
        Titles(uri="a", language="en"),
        Titles(uri="b", language="en", forced=True),
        Titles(uri="c", language="en"),
    ]
    lines = master_playlist([VARIANT], [SOUND], titles).splitlines()

    assert [line.split('NAME="')[1].split('"')[0] for line in lines if "TYPE=SUBTITLES" in line] == [
        "en", "en forced", "en 3",
    ]  # fmt: skip
    assert lines[-2].endswith('AUDIO="audio",SUBTITLES="subtitles"')


def test_key_frames_have_a_playlist_of_byte_ranges() -> None:
    frames = [KeyFrame(uri="0.m4s", size=900, seconds=6.0), KeyFrame(uri="1.m4s", size=70, seconds=1.5)]

    assert key_frame_playlist(frames, "init.mp4").splitlines() == [
        "#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:6", "#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-I-FRAMES-ONLY",
        '#EXT-X-MAP:URI="init.mp4"', "#EXTINF:6.000000,", "#EXT-X-BYTERANGE:900@0", "0.m4s",
        "#EXTINF:1.500000,", "#EXT-X-BYTERANGE:70@0", "1.m4s", "#EXT-X-ENDLIST",
    ]  # fmt: skip


def test_the_heaviest_segment_sets_the_bandwidth() -> None:
    assert rate_of([1000, 4000], [2.0, 4.0]) == Rate(peak=8000, average=6667)


def test_a_media_playlist_names_every_segment_and_the_header_before_it() -> None:
    assert media_playlist([("00000.m4s", 6.0), ("00001.m4s", 1.5)], init="init.mp4").splitlines() == [
        "#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:6", "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS", '#EXT-X-MAP:URI="init.mp4"',
        "#EXTINF:6.000000,", "00000.m4s", "#EXTINF:1.500000,", "00001.m4s", "#EXT-X-ENDLIST",
    ]  # fmt: skip
