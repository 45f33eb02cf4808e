from omkt_pipeline.domain.media import Chapter
from omkt_pipeline.media.labels import chapter_file, chapter_tags, chapters_of, tag_words, tags_of


def test_known_tags_are_read_whatever_their_case_and_no_others() -> None:
    said = {
        "TITLE": " A  song\n",
        "Artist": "Ann",
        "YEAR": "1999",
        "location": "+47+8/",
        "comment": "x",
        "encoder": "y",
    }

    assert tags_of({"format": {"tags": said}}) == {"title": "A song", "artist": "Ann", "date": "1999"}


def test_the_tags_of_an_ogg_are_those_of_its_track() -> None:
    assert tags_of({"format": {}, "streams": [{"tags": {"ALBUM": "Songs"}}]}) == {"album": "Songs"}


def test_endless_and_unprintable_words_are_made_harmless() -> None:
    (title,) = tags_of({"format": {"tags": {"title": "a\x1b[2Jb\0" + "c" * 9999}}}).values()

    assert title.startswith("a [2Jb c")
    assert len(title) == 300


def test_chapters_are_sorted_and_nonsense_is_left_out() -> None:
    raw = [
        {"start_time": "5.0", "end_time": "9.5", "tags": {"title": "Two"}},
        {"start_time": "0.0", "end_time": "5.0"},
        {"start_time": "7", "end_time": "7"},
        {"start_time": "-1", "end_time": "3"},
        {"start_time": "x"},
    ]

    assert chapters_of({"chapters": raw}) == (Chapter(begin=0, end=5), Chapter(begin=5, end=9.5, title="Two"))


def test_a_chapters_name_cannot_say_anything_else_to_ffmpeg() -> None:
    written = chapter_file([Chapter(begin=0, end=1.5, title="a=b;c#d\\e")])

    assert written == ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1500\ntitle=a\\=b\\;c\\#d\\\\e\n"


def test_chapters_of_ogg_are_tags() -> None:
    chapters = [Chapter(begin=0, end=4.5, title="One"), Chapter(begin=3725.5, end=3800)]

    assert chapter_tags(chapters) == {
        "CHAPTER000": "00:00:00.000", "CHAPTER000NAME": "One",
        "CHAPTER001": "01:02:05.500", "CHAPTER001NAME": "",
    }  # fmt: skip


def test_a_tag_is_one_word_of_the_command_line() -> None:
    assert tag_words({"title": "-i /etc/passwd"}) == ["-metadata", "title=-i /etc/passwd"]
