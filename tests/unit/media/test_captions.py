from omkt_pipeline.media.captions import Cue, read_cues, segments_of, webvtt, within

MADE = """WEBVTT

NOTE not a title

00:01.000 --> 00:02.500 align:start
Good morning,
Vietnam!

2
01:00:00.000 --> 01:00:01.000
later
"""


def test_titles_are_read_with_their_times_and_places() -> None:
    assert read_cues(MADE) == (
        Cue(begin=1000, end=2500, text="Good morning,\nVietnam!", where="align:start"),
        Cue(begin=3_600_000, end=3_601_000, text="later"),
    )


def test_what_is_written_is_read_back() -> None:
    cues = read_cues(MADE)
    assert read_cues(webvtt(cues)) == cues
    assert read_cues(webvtt(cues, mapped=True)) == cues


def test_a_source_cannot_begin_blocks_of_its_own() -> None:
    text = "WEBVTT\n\nSTYLE\n::cue { color: red }\n\n00:01.000 --> 00:02.000\nseen\n00:03.000 --> 00:04.000\r\nSTYLE\n"
    (cue,) = read_cues(text)
    assert cue.text == "seen\nSTYLE"
    assert "-->" not in cue.text
    assert read_cues("no titles at all") == read_cues("") == ()


def test_titles_without_words_or_time_are_none() -> None:
    assert read_cues("WEBVTT\n\n00:02.000 --> 00:01.000\nback\n\n00:01.000 --> 00:02.000\n\n") == ()


def test_a_title_that_crosses_a_border_is_in_both_segments() -> None:
    first, both, last = (Cue(begin=a, end=b, text="x") for a, b in ((0, 60_000), (59_000, 61_000), (119_000, 130_000)))
    assert segments_of((first, both, last), seconds=60, length=125) == ((first, both), (both, last), (last,))


def test_no_title_outlasts_the_film() -> None:
    cues = (Cue(begin=0, end=5000, text="a"), Cue(begin=3000, end=9000, text="b"), Cue(begin=6000, end=7000, text="c"))
    assert within(cues, 4.0) == (Cue(begin=0, end=4000, text="a"), Cue(begin=3000, end=4000, text="b"))
